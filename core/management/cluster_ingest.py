"""Run ingest_mrf on a cluster: one task a file, published to the object store."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from core.cluster.files.receipts import Receipt
from core.cluster.files.reference_files import upload_reference
from core.cluster.publication.publish import Publisher
from core.cluster.running.load_job import JobResult, LoadJob, is_same_version, loaded_markers
from core.cluster.running.ray_engine import open_cluster
from core.cluster.scratch import sweep_scratch
from core.fetch.address import looks_remote, parse_address
from core.fetch.probe import probe
from core.load.fetch_ahead import WantedFile, merge_same_files
from core.management.cluster_job import run_cluster_job
from core.management.filter_options import read_loads
from core.management.published_store import open_publisher
from core.management.run_ingest import IngestRun
from core.runtime.errors import BeaconError
from core.tic.source import expand_paths

_PUBLISH_SECONDS = 60.0
"""How long a loaded file waits at most before it is in the log. A killed run goes on from receipts in any case."""
_REPORT_SECONDS = 10.0


class ClusterIngest(IngestRun):
    """One run of ingest_mrf with --engine ray."""

    def load_sources(self, sources: list[str]) -> None:
        """Load files and addresses."""
        remote = merge_same_files(WantedFile(parse_address(text)) for text in sources if looks_remote(text))
        paths = expand_paths(text for text in sources if not looks_remote(text))
        self._run([*(path.resolve() for path in paths), *remote], self.options["payer"])

    def load_wanted(self, wanted: Sequence[WantedFile], payer: str | None) -> None:
        """Load the chosen files of a table of contents."""
        self._run(merge_same_files(wanted), payer)

    def _run(self, sources: Sequence[Path | WantedFile], payer: str | None) -> None:
        publisher = open_publisher()
        reference = upload_reference(publisher.place, self.store)
        jobs = [
            LoadJob(
                place=publisher.place,
                source=source,
                loads=read_loads(self.options),
                reference=reference,
                year_month=self.options["year_month"],
                payer=self.options["payer"] or payer,
                processes=self.options["processes"] or 1,
                memory=self.options["file_memory"],
                scratch=settings.BEACONPOINT_TEMP_DIR,
                locations=not self.options["no_locations"],
            )
            for source in sources
        ]
        todo = self._without_loaded(publisher, jobs)
        state = _Progress(files=len(todo), before=len(jobs) - len(todo))
        address = "" if self.options["engine"] == "ray" else self.options["engine"]
        try:
            if todo:
                with open_cluster(address, self.options["workers"]) as cluster:
                    if cluster.dashboard:
                        self.stderr.write(f"dashboard of the cluster: http://{cluster.dashboard}")
                    results = cluster.run(
                        run_cluster_job,
                        todo,
                        processors=self.options["processes"] or 1,
                        memory=self.options["file_memory"],
                    )
                    self._publish_results(publisher, results, state)
        finally:
            # Also what an earlier run has loaded and not published.
            publisher.claim_all()
            generation = publisher.finish()
            # What killed tasks have left on this machine, if no later task has deleted it already.
            sweep_scratch(settings.BEACONPOINT_TEMP_DIR)
        self.stdout.write(
            f"{state.done} files loaded, {state.before} loaded before, {len(state.failed)} not loaded; "
            f"{state.rows:,} rates read now; "
            + (f"generation {generation.number} is published" if generation.number else "nothing is published")
        )
        if state.failed:
            count = len(state.failed)
            raise BeaconError(f"{count} {'file was' if count == 1 else 'files were'} not loaded, see above")

    def _without_loaded(self, publisher: Publisher, jobs: Sequence[LoadJob]) -> list[LoadJob]:
        """Return the jobs whose files were not loaded before, or have changed on the web since."""
        markers = loaded_markers(publisher.place, jobs)
        known = [job for job in jobs if job.marker in markers and isinstance(job.source, WantedFile)]
        addresses = [job.source.address for job in known if isinstance(job.source, WantedFile)]
        versions = probe(self.web.client, addresses)
        changed = {
            job.marker
            for job, version in zip(known, versions, strict=True)
            if not is_same_version(markers[job.marker], version)
        }
        return [job for job in jobs if job.marker not in markers or job.marker in changed]

    def _publish_results(
        self, publisher: Publisher, results: Iterable[tuple[LoadJob, JobResult | str]], state: "_Progress"
    ) -> None:
        waiting: list[Receipt] = []
        published = time.monotonic()
        for job, result in results:
            for line in state.add(job, result):
                self.stderr.write(line)
            if isinstance(result, JobResult):
                waiting += result.receipts
            if time.monotonic() - published > _PUBLISH_SECONDS:
                publisher.claim(waiting)
                waiting, published = [], time.monotonic()


@dataclass
class _Progress:
    """How far a run is."""

    files: int
    before: int
    done: int = 0
    rows: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    reported: float = 0

    def add(self, job: LoadJob, result: JobResult | str) -> Iterator[str]:
        """Count a job that has ended. Yield lines for the operator: problems, and now and then how far the run is."""
        if isinstance(result, str):
            self.failed.append(job.name)
            yield f"{job.name}: not loaded: {result}"
        else:
            self.rows += sum(receipt.rows for receipt in result.receipts)
            self.bytes += result.bytes
            if result.problems:
                self.failed.append(job.name)
                yield from result.problems
            else:
                self.done += 1
        ended = self.done + len(self.failed)
        now = time.monotonic()
        if now - self.reported > _REPORT_SECONDS or ended == self.files:
            self.reported = now
            left = (now - self.started) / ended * (self.files - ended)
            yield (
                f"{ended} of {self.files} files, {self.bytes / 1e9:,.2f} GB of JSON, {self.rows:,} rates, "
                f"about {left / 60:,.0f} min left"
            )
