"""One payer's networks. (Its files: see `coverage`; its codes: see `codes`.)"""

from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import GroupCount, Month, NpiCount, described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot


@dataclass(frozen=True)
class NetworkRow:
    """A network in one month, or the provider groups that name no network. A group can be in several."""

    network: Annotated[
        str | None, described("Name of the network; null for provider groups that name none.", "Example PPO")
    ]
    year_month: Month
    groups: GroupCount
    npis: NpiCount


def list_networks(db: Snapshot, payer: str) -> list[NetworkRow]:
    """Return the payer's networks, newest month first, with their provider groups and distinct NPIs."""
    return read_rows(
        db,
        NetworkRow,
        """WITH named AS (
               SELECT year_month, pg_uid,
                      unnest(if(len(coalesce(network_names, [])) = 0, [NULL], network_names)) AS network
               FROM dim_provider_group WHERE payer_slug = $payer)
           SELECT network, n.year_month, count(DISTINCT n.pg_uid) AS groups, count(DISTINCT x.npi) AS npis
           FROM named n
           LEFT JOIN (SELECT pg_uid, npi FROM xref_group_npi WHERE payer_slug = $payer) x ON x.pg_uid = n.pg_uid
           GROUP BY ALL ORDER BY n.year_month DESC, network NULLS LAST""",
        {"payer": payer},
    )
