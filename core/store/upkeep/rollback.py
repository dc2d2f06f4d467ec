"""Go back to an older generation, as a new one, so that the history is kept."""

from core.store.generations.integrity import find_problem
from core.store.generations.kept import kept_generations
from core.store.generations.manifest import Manifest, StoreError
from core.store.generations.store import Store


def roll_back(store: Store, generation: int) -> Manifest:
    """Make the content of an older generation the newest, and return it as the new generation.

    The newest generation may be damaged, or its manifest missing. Raises StoreError, and nothing has changed, if the
    older one is no longer kept or one of its files is missing or damaged.
    """
    with store.write_over() as transaction:
        wanted = _find_generation(store, generation)
        newest = store.directory.readable_manifest()
        if newest and {file.path for file in newest.files} == {file.path for file in wanted.files}:
            raise StoreError(f"{store.root}: generation {newest.generation}, the newest, has this content already")
        require_complete(store, wanted)
        transaction.become(wanted)
        return transaction.commit()


def require_complete(store: Store, manifest: Manifest) -> None:
    """Raise StoreError if a file of a generation is missing or damaged."""
    for file in manifest.files:
        problem = find_problem(store.root, file)
        if problem:
            others = [one.generation for one in kept_generations(store.root) if one != manifest]
            raise StoreError(
                f"{store.root / file.path} {problem}, so generation {manifest.generation} cannot be used; the store is "
                f"as it was; choose another one ({_join(others)}) or restore a backup: manage.py store restore DIR"
            )


def _find_generation(store: Store, generation: int) -> Manifest:
    kept = {manifest.generation: manifest for manifest in kept_generations(store.root)}
    if generation not in kept:
        raise StoreError(
            f"{store.root}: generation {generation} is not kept; expected one of: {_join(kept)} (manage.py store "
            "generations lists them)"
        )
    return kept[generation]


def _join(generations: object) -> str:
    return ", ".join(map(str, generations)) if generations else "none"  # type: ignore[call-overload]
