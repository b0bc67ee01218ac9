"""A sketch under an address that others may open: its shape as it was shared, until the owner ends it.

Who has the address sees the shape and asks with his or her own rights: nobody sees more of a layer by it.
"""

import hashlib

from sqlmodel import Session, col, select

from domain.command import Work, command
from domain.errors import NotFound
from domain.geometry import ewkb
from domain.sketch.saved import drawers, find
from domain.sketch.tables import SharedRange, Sketch


def shared_of(session: Session, sketch: Sketch) -> SharedRange | None:
    """The share of a sketch as it is now; None where it is not shared, or was changed since."""
    statement = select(SharedRange).where(SharedRange.digest == _digest(sketch), col(SharedRange.ended_at).is_(None))
    return session.exec(statement).first()


def find_shared(session: Session, digest: str) -> SharedRange:
    """The shape of a shared address. Raises NotFound for one that is not shared, or no longer, and while its sketch is deleted."""
    statement = (
        select(SharedRange).join(Sketch, col(Sketch.id) == SharedRange.sketch_id)
        .where(SharedRange.digest == digest, col(SharedRange.ended_at).is_(None), col(Sketch.deleted_at).is_(None))
    )
    if (found := session.exec(statement).first()) is None:
        raise NotFound("这个共享的范围不存在，或共享的人已经取消。请向给你地址的人要新的地址。")
    return found


@command("sketch.share", allow=drawers)
def share(work: Work, sketch_id: int) -> SharedRange:
    """Let whoever has the address use the shape of one's own sketch as it is now; shared again, the address is the same."""
    sketch = find(work.session, work.actor, sketch_id)
    found = work.session.exec(select(SharedRange).where(SharedRange.digest == _digest(sketch))).first()
    if found is None:
        found = SharedRange(digest=_digest(sketch), owner_id=sketch.owner_id, sketch_id=sketch.id, geometry=sketch.geometry, name=sketch.name, at=work.at)
    found.name, found.ended_at = sketch.name, None
    work.session.add(found)
    work.session.flush()
    work.record(f"sketch:{sketch.id}", shared=found.digest)
    return found


@command("sketch.unshare", allow=drawers)
def unshare(work: Work, sketch_id: int) -> Sketch:
    """End every share of one's own sketch, earlier shapes too."""
    sketch = find(work.session, work.actor, sketch_id)
    statement = select(SharedRange).where(SharedRange.sketch_id == sketch.id, col(SharedRange.ended_at).is_(None))
    ended = work.session.exec(statement).all()
    for each in ended:
        each.ended_at = work.at
    work.record(f"sketch:{sketch.id}", ended=[each.digest for each in ended])
    return sketch


def _digest(sketch: Sketch) -> str:
    """By owner, sketch and shape: nobody comes to it who was not given it or has the very same shape."""
    return hashlib.sha256(f"{sketch.owner_id} {sketch.id} ".encode() + ewkb(sketch.geometry)).hexdigest()
