"""What a task of a cluster runs. Tasks find it by its name, with the settings of their machine."""

from core.cluster.running.load_job import JobResult, LoadJob, run_job
from core.open_web import open_web


def run_cluster_job(job: LoadJob) -> JobResult:
    """Load the file of a job."""
    return run_job(job, lambda: open_web(locations=job.locations))
