"""Hypothesis strategies for STAR tables and particles."""

import re

import numpy as np
from hypothesis import strategies as st

from subtomo.formats.star import StarTable
from subtomo.model import Particles


def _can_be_quoted(value: str) -> bool:
    """Whether a value fits on one line of a STAR file."""
    return not (re.search(r"'\s", value) and re.search(r'"\s', value))


texts = st.one_of(
    st.sampled_from(
        ["", " ", "a b", "#x", "c#d.mrc", "it's", "'", '"', "data_x", "loop_", "_x", ";", "$x", "."]
    ),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r"), max_size=12
    ).filter(_can_be_quoted),
)
tags = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)


@st.composite
def star_tables(draw: st.DrawFn) -> StarTable:
    names = draw(st.lists(tags, min_size=1, max_size=4, unique=True))
    is_loop = draw(st.booleans())
    n_rows = draw(st.integers(0, 4)) if is_loop else 1
    rows = st.lists(texts, min_size=n_rows, max_size=n_rows)
    columns = {name: np.array(draw(rows), dtype=np.str_) for name in names}
    return StarTable(columns, is_loop=is_loop)


words = st.text("abcXYZ_-/ é'#", min_size=1, max_size=8).filter(_can_be_quoted)


@st.composite
def particles(draw: st.DrawFn, tomograms: tuple[str, ...] = ("TS_01", "a b")) -> Particles:
    n = draw(st.integers(0, 5))

    def column(values: st.SearchStrategy, dtype: object) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=dtype)

    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Particles(
        tomogram=column(st.sampled_from(tomograms), np.str_),
        position=rng.uniform(-500, 5000, (n, 3)).round(3),
        orientation=rng.normal(size=(n, 4)),
        class_name=column(words, np.str_),
        instance=column(words, np.str_),
        source=column(words, np.str_),
        score=column(st.floats(-1e6, 1e6) | st.just(np.nan), np.float64),
        half=column(st.integers(0, 2), np.int64),
        box_size=column(st.integers(0, 512), np.int64),
        extra={
            "rlnImageName": column(words, np.str_),
            "rlnClassNumber": column(st.integers(-(10**9), 10**9), np.int64),
            "myValue": column(st.floats(allow_nan=False), np.float64),
            "optics.rlnVoltage": column(st.sampled_from([200.0, 300.0]), np.float64),
        },
    )
