"""Which picks are meant: names with wildcards, expressions, copick's addresses."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from subtomo.errors import SettingsError
from subtomo.sources.copick.settings import CopickPicks

_EXPRESSION = "re:"
_ANY = "*"


@dataclass(frozen=True)
class Pattern:
    """A name, with ``*`` and ``?``, or a regular expression after ``re:``; by which option.

    Raises
    ------
    SettingsError
        If the expression is none.
    """

    text: str
    option: str

    def __post_init__(self) -> None:
        if self.text.startswith(_EXPRESSION):
            try:
                re.compile(self.text.removeprefix(_EXPRESSION))
            except re.error as error:
                raise SettingsError(
                    f"{self.option} {self.text}: not a regular expression ({error}); expected one "
                    "after re:"
                ) from None

    def fits(self, name: str) -> bool:
        """Whether a whole name fits."""
        if self.text.startswith(_EXPRESSION):
            return re.fullmatch(self.text.removeprefix(_EXPRESSION), name) is not None
        return fnmatchcase(name, self.text)


@dataclass(frozen=True)
class Choice:
    """Which picks are meant.

    Parameters
    ----------
    object_name, user, session : patterns
    runs : patterns, of which one must fit; any run if empty
    """

    object_name: Pattern
    user: Pattern
    session: Pattern
    runs: tuple[Pattern, ...] = ()

    def __str__(self) -> str:
        return f"{self.object_name.text}:{self.user.text}/{self.session.text}"

    def fits(self, object_name: str, user: str, session: str) -> bool:
        """Whether picks of this object, user and session are meant."""
        return (
            self.object_name.fits(object_name)
            and self.user.fits(user)
            and self.session.fits(session)
        )

    def has_run(self, name: str) -> bool:
        """Whether a run is meant."""
        return not self.runs or any(run.fits(name) for run in self.runs)


def choice_of(source: CopickPicks) -> Choice:
    """Read which picks the settings mean.

    Parameters
    ----------
    source : with names, or an address OBJECT:USER/SESSION; what is left out may be anything
        ``re:`` before an address makes regular expressions of all three.

    Raises
    ------
    SettingsError
        If the address or an expression is wrong.
    """
    runs = tuple(Pattern(name, "--copick-run-name") for name in source.copick_run_names)
    if source.copick_uri is None:
        name, user, session = (
            Pattern(getattr(source, each) or _ANY, "--" + each.replace("_", "-"))
            for each in ("copick_name", "copick_user_id", "copick_session_id")
        )
    else:
        name, user, session = _parts_of(source.copick_uri)
    return Choice(name, user, session, runs)


def _parts_of(uri: str) -> tuple[Pattern, Pattern, Pattern]:
    """Take an address apart."""
    text = uri.removeprefix(_EXPRESSION)
    name, _, rest = text.partition(":")
    user, _, session = rest.partition("/")
    if not name:
        raise SettingsError(f"--copick-uri {uri}: no object; expected OBJECT:USER/SESSION")
    is_plain = text == uri
    before, anything = ("", _ANY) if is_plain else (_EXPRESSION, ".*")
    first, second, third = (
        Pattern(before + (part or anything), "--copick-uri") for part in (name, user, session)
    )
    return first, second, third
