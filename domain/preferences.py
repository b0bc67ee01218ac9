"""How a person wants to see the portal: colours, density, size of text."""

from domain.command import Work, anyone_signed_in, command
from domain.errors import InvalidData
from domain.person import Person
from domain.session import forget_actors

THEMES = {"system": "跟随系统", "light": "浅色", "dark": "深色", "contrast": "高对比"}
DENSITIES = {"": "按页面", "comfortable": "宽松", "compact": "紧凑"}
TEXT_SIZES = {"normal": "标准", "large": "大", "larger": "更大"}


@command("person.preferences", allow=anyone_signed_in)
def change_preferences(work: Work, theme: str, density: str, text_size: str) -> Person:
    """Keep one's own choice; it holds from the next page on."""
    offered = {"theme": (theme, THEMES), "density": (density, DENSITIES), "text_size": (text_size, TEXT_SIZES)}
    wrong = {name: "请从列出的选项中选择" for name, (value, choices) in offered.items() if value not in choices}
    if wrong:
        raise InvalidData("显示设置不在可选的范围内，没有保存。请从列出的选项中选择。", wrong)
    person = work.session.get_one(Person, work.actor.person_id)
    person.theme, person.density, person.text_size = theme, density or None, text_size
    work.record(f"person:{person.id}", theme=theme, density=density, text_size=text_size)
    forget_actors(work)
    return person
