"""The table of the contract against those who can't import it: the documentation, the C++ backend, the modules."""

import re

import pytest

from neutone_like import NonRealtimeSampleQueueWrapper, SampleQueueWrapper
from neutone_like.host.contract import Kind, members, preserved_names, required_names
from support.host_models import DelayModel
from support.places import PROJECT
from support.whole_models import Smoother

PAGE = PROJECT / "docs" / "explanation" / "artifact.md"
PLAYER = PROJECT / "native" / "backends" / "torch" / "wrapper_player.cpp"

WRAPPERS = {
    "live": lambda: SampleQueueWrapper(DelayModel(0)),
    "offline": lambda: NonRealtimeSampleQueueWrapper(Smoother()),
}


@pytest.mark.parametrize("kind", ["live", "offline"])
def test_a_wrapper_has_what_the_table_says_and_nothing_else_for_hosts(kind: Kind) -> None:
    wrapper = WRAPPERS[kind]()
    names = {member.name for member in members(kind)}
    assert {name for name in names if not hasattr(wrapper, name)} == set()
    exported = {
        name
        for name in dir(type(wrapper))
        if getattr(getattr(type(wrapper), name), "_torchscript_modifier", None) is not None and not name.startswith("_")
    }
    ours = {name for name in exported if name not in names}
    assert ours <= {"set_device"}, "give them a line in host/contract.py"
    assert wrapper.get_preserved_attributes() == preserved_names(kind)


def test_the_page_names_every_method_of_the_format() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)\(", text)) | set(re.findall(r"`(\w+)`", text))
    for kind in ("live", "offline"):
        missing = {name for name in required_names(kind) if name not in named}
        assert not missing, f"docs/explanation/artifact.md says nothing of {sorted(missing)}"


def test_the_engine_asks_for_nothing_that_a_file_need_not_have() -> None:
    listed = re.search(r"k\w*Methods\[\] = \{([^}]*)\}", PLAYER.read_text(encoding="utf-8"))
    assert listed is not None
    names = set(re.findall(r'"(\w+)"', listed[1]))
    assert len(names) >= 4
    assert names <= set(required_names("live"))
