"""Work spread over a cluster (dask.distributed), for packages that one machine cannot hold.

The rule of tiles: a feature belongs wholly to the tile of the centre of its bounding box, so that none is cut and none
is in two tiles; tiles are halved along their longer side, at the median centre (of equal ones in their order), until each
has few enough. What lies around a tile (features of other layers, neighbours of a border) is given to every tile that
needs it, only to be looked at, never to be counted there. Whoever spreads work states what each tile has to look at.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy
import shapely

from domain.errors import OutsideSystemDown, Refused

T = TypeVar("T")
CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ScaleOut:
    """The cluster: address of its scheduler (tcp://…), from how many features work is spread, features in a tile."""

    address: str
    from_features: int
    tile_features: int = 20_000

    def wants(self, features: int) -> bool:
        """True if so many features are to be spread."""
        return bool(self.address) and features >= self.from_features

    def spread(self, work: Callable[..., T], parts: Sequence[tuple[Any, ...]], done: Callable[[int], None] = lambda count: None) -> list[T]:
        """A function of every part's arguments, on the workers; the answers in order of the parts.

        `work` is importable on the workers, its arguments and answer can be pickled. What it raises is raised here, and
        the rest is given up. `done` is told how many are finished, and may raise to end the work. Raises OutsideSystemDown
        without a cluster or workers, Refused if a worker has another GEOS, which could round otherwise.
        """
        from distributed import as_completed

        with self._client() as client:
            futures = [client.submit(work, *arguments, pure=False) for arguments in parts]
            try:
                for count, future in enumerate(as_completed(futures, loop=client.loop), start=1):
                    future.result()
                    done(count)
                return client.gather(futures)
            finally:
                client.cancel(futures)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from distributed import Client

        try:
            client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except OSError as fault:
            raise OutsideSystemDown(f"计算集群 {self.address} 连接不上，没有计算。请检查集群是否运行，或清空设置 SCALE_OUT_CLUSTER 改为单机计算。") from fault
        with client:
            _require_alike(client.run(geos_version), self.address)
            yield client


def geos_version() -> str:
    """The geometry engine of the process."""
    return shapely.geos_version_string


def _require_alike(versions: dict[str, str], address: str) -> None:
    if not versions:
        raise OutsideSystemDown(f"计算集群 {address} 没有工作进程，没有计算。请启动工作进程后再提交。")
    others = sorted({version for version in versions.values() if version != geos_version()})
    if others:
        raise Refused(f"计算集群的 GEOS 版本是 {'、'.join(others)}，门户是 {geos_version()}，结果可能不同，没有计算。请把两边升级到同一版本。")


def tiles_of(geometries: numpy.ndarray, most: int) -> list[numpy.ndarray]:
    """The rows of each tile: every row in exactly one, at most `most` in each; an empty geometry counts as at 0, 0."""
    bounds = numpy.nan_to_num(shapely.bounds(geometries)).reshape(-1, 4)
    centres = (bounds[:, :2] + bounds[:, 2:]) / 2
    return list(_halved(centres, numpy.arange(len(geometries)), max(1, most)))


def _halved(centres: numpy.ndarray, rows: numpy.ndarray, most: int) -> Iterator[numpy.ndarray]:
    if len(rows) <= most:
        if len(rows):
            yield rows
        return
    axis = int(numpy.argmax(numpy.ptp(centres[rows], axis=0)))
    order = rows[numpy.argsort(centres[rows, axis], kind="stable")]
    middle = len(order) // 2
    yield from _halved(centres, numpy.sort(order[:middle]), most)
    yield from _halved(centres, numpy.sort(order[middle:]), most)
