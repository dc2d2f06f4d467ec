"""Go back to an older generation, as a new one, so that the history is kept."""

from core.store.generations.integrity.damage import find_problem
from core.store.generations.manifest import Manifest, StoreError
from core.store.generations.retention.kept import find_kept, kept_generations, list_numbers
from core.store.generations.store import Store


def roll_back(store: Store, generation: int) -> Manifest:
    """Make the content of an older generation the newest, and return it as the new generation.

    The newest generation may be damaged, or its manifest missing. Raises StoreError, and nothing has changed, if the
    older one is no longer kept or one of its files is missing or damaged.
    """
    with store.write_over() as transaction:
        wanted = find_kept(store.root, generation)
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
            others = list_numbers(one for one in kept_generations(store.root) if one != manifest)
            raise StoreError(
                f"{store.root / file.path} {problem}, so generation {manifest.generation} cannot be used; the store is "
                f"as it was; choose another one ({others}) or restore a backup: manage.py store restore DIR"
            )
