"""Playing the demo stories: the clock of the stage goes through their days, act by act."""

from datetime import timedelta

from domain import portal_clock, sweep
from domain.actor import SYSTEM
from domain.demo.acts import perform
from domain.demo.cast import enter
from domain.demo.stage import Stage
from domain.demo.stories import document, scenes, stories
from domain.portal_clock import local_date


def play(stage: Stage) -> None:
    """Play every story up to yesterday; afterwards the clock of the stage shows the present again.

    The outside world works between the days: packages are built, messages delivered, answers come back. At the end
    lights are brought up to today, as every night.
    """
    ordered = scenes(local_date(portal_clock.now()), stories())
    stage.show(ordered[0].at - timedelta(hours=1))
    cast = enter(stage, document())
    day = None
    for scene in ordered:
        if day not in (None, local_date(scene.at)):
            stage.settle()
        day = local_date(scene.at)
        stage.show(scene.at)
        perform(stage, cast, scene.story, scene.act)
    stage.settle()
    stage.show(portal_clock.now())
    with stage.writing() as session:
        sweep.begin(session, SYSTEM)
    stage.settle()
