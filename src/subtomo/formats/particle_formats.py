"""The formats of particle tables: a row each, imported when it is used.

A further format is one file with a reader ``read_X(path, context) -> Particles``, a writer
``write_X(path, particles, context)`` and, where others have its suffix, ``is_X(path) -> bool``,
and a row in ``PARTICLE_FORMATS``. A test runs over all rows.
"""

from pathlib import Path

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.particle_format import ParticleFormat

EVERYTHING = frozenset(
    {
        *("tomogram", "orientation", "is_oriented", "class_name", "instance", "source"),
        *("score", "half", "box_size", "extra", "tables"),
    }
)

VOXELS = frozenset({"grids", "pixel_size", "is_one_based"})


_SERIES = frozenset({"grids", "frames", "pixel_size"})
_ONE_TOMOGRAM = VOXELS | {"tomogram"}
_FROM_MIDDLE = frozenset({"grids", "frames", "pixel_size", "size_px", "tomogram"})
_NUMBERED = VOXELS | {"tomogram", "tomogram_map"}
_NUMBERED_FIELDS = frozenset(
    {
        *("tomogram", "orientation", "is_oriented"),
        *("class_name_number", "instance_number", "score"),
    }
)
_BOXES = frozenset({"class_name", "source", "score", "box_size"})

PARTICLE_FORMATS: tuple[ParticleFormat, ...] = (
    ParticleFormat(
        "relion5",
        "STAR of RELION 5",
        (".star",),
        "subtomo.formats.relion_variants:read_relion",
        "subtomo.formats.relion_variants:write_relion5",
        EVERYTHING,
        uses=_SERIES | {"size_px"},
        writes_with=frozenset({"frames", "pixel_size", "size_px"}),
    ),
    ParticleFormat(
        "relion4",
        "STAR of RELION 4",
        (".star",),
        "subtomo.formats.relion_variants:read_relion",
        "subtomo.formats.relion_variants:write_relion4",
        EVERYTHING,
        uses=_SERIES,
        recognises="subtomo.formats.relion_kinds:is_relion4",
    ),
    ParticleFormat(
        "relion3.1",
        "STAR of RELION 3.1",
        (".star",),
        "subtomo.formats.relion_variants:read_relion",
        "subtomo.formats.relion_variants:write_relion31",
        EVERYTHING,
        uses=_SERIES,
        recognises="subtomo.formats.relion_kinds:is_relion31",
    ),
    ParticleFormat(
        "warp",
        "STAR of Warp and M",
        (".star",),
        "subtomo.formats.relion_variants:read_relion",
        "subtomo.formats.relion_variants:write_warp",
        EVERYTHING - {"tables"},
        uses=_SERIES,
        recognises="subtomo.formats.relion_kinds:is_warp",
    ),
    ParticleFormat(
        "stopgap",
        "motive list of STOPGAP",
        (".star",),
        "subtomo.formats.stopgap:read_stopgap",
        "subtomo.formats.stopgap:write_stopgap",
        _NUMBERED_FIELDS | {"half", "extra:stopgap."},
        uses=_NUMBERED,
        group="class",
        beside="subtomo.formats.numbered_particles:map_beside",
        unknown_score=0.0,
        recognises="subtomo.formats.stopgap:is_stopgap",
    ),
    ParticleFormat(
        "csv",
        "CSV of this program",
        (".csv",),
        "subtomo.formats.csv:read_csv",
        "subtomo.formats.csv:write_csv",
        EVERYTHING - {"tables"},
        uses=VOXELS,
        writes_with=frozenset(),
        needs_nothing="subtomo.formats.csv:is_in_angstrom",
    ),
    ParticleFormat(
        "dynamo",
        "table of Dynamo",
        (".tbl",),
        "subtomo.formats.dynamo_table:read_dynamo_table",
        "subtomo.formats.dynamo_table:write_dynamo_table",
        _NUMBERED_FIELDS,
        uses=_NUMBERED,
        group="class",
        beside="subtomo.formats.numbered_particles:map_beside",
        unknown_score=0.0,
        keeps="subtomo.formats.dynamo_table:keeps_column",
    ),
    ParticleFormat(
        "dynamo-vll",
        "list of volumes of Dynamo, with a table each",
        (".vll",),
        "subtomo.formats.dynamo_vll:read_vll_particles",
        "subtomo.formats.dynamo_vll:write_vll_particles",
        _NUMBERED_FIELDS,
        uses=VOXELS,
        group="class",
        beside="subtomo.formats.dynamo_vll:tables_and_maps",
        unknown_score=0.0,
        keeps="subtomo.formats.dynamo_table:keeps_column",
    ),
    ParticleFormat(
        "motl",
        "motive list in an EM file",
        (".em",),
        "subtomo.formats.motive_list:read_motive_list",
        "subtomo.formats.motive_list:write_motive_list",
        _NUMBERED_FIELDS,
        uses=_NUMBERED,
        group="class",
        beside="subtomo.formats.numbered_particles:map_beside",
        unknown_score=0.0,
        recognises="subtomo.formats.motive_list:is_motive_list",
        keeps="subtomo.formats.motive_list:keeps_column",
    ),
    ParticleFormat(
        "peet",
        "motive list of PEET with a model of IMOD",
        (".csv",),
        "subtomo.formats.peet_csv:read_peet_csv",
        "subtomo.formats.peet_csv:write_peet_csv",
        _NUMBERED_FIELDS - {"tomogram"},
        uses=_ONE_TOMOGRAM,
        group="class",
        beside="subtomo.formats.peet_csv:model_beside",
        unknown_score=0.0,
        recognises="subtomo.formats.peet_csv:is_peet_csv",
        keeps="subtomo.formats.peet_csv:keeps_column",
    ),
    ParticleFormat(
        "imod",
        "model of IMOD",
        (".mod",),
        "subtomo.formats.imod_model:read_imod_model",
        "subtomo.formats.imod_model:write_imod_model",
        frozenset({"class_name", "instance_number", "score"}),
        uses=_ONE_TOMOGRAM,
    ),
    ParticleFormat(
        "pytom",
        "particle list of PyTom",
        (".xml",),
        "subtomo.formats.pytom_xml:read_pytom_xml",
        "subtomo.formats.pytom_xml:write_pytom_xml",
        EVERYTHING - {"tables"},
        uses=_ONE_TOMOGRAM,
        recognises="subtomo.formats.pytom_xml:is_pytom_xml",
    ),
    ParticleFormat(
        "cbox",
        "boxes of crYOLO",
        (".cbox",),
        "subtomo.formats.cryolo_cbox:read_cryolo_cbox",
        "subtomo.formats.cryolo_cbox:write_cryolo_cbox",
        EVERYTHING - {"tomogram", "orientation", "is_oriented", "tables"},
        uses=_ONE_TOMOGRAM,
        group="instance",
    ),
    ParticleFormat(
        "copick",
        "file of picks of copick",
        (".json",),
        "subtomo.formats.copick_files:read_copick_file",
        "subtomo.formats.copick_files:write_copick_file",
        EVERYTHING - {"tomogram", "tables"},
        uses=frozenset({"grids", "tomogram"}),
        writes_with=frozenset({"grids", "pixel_size"}),
        recognises="subtomo.formats.copick_files:is_copick_picks",
    ),
    ParticleFormat(
        "copick-folder",
        "folder of a copick project",
        (".copick",),
        "subtomo.formats.copick_files:read_copick_folder",
        "subtomo.formats.copick_files:write_copick_folder",
        EVERYTHING - {"tables"},
        uses=frozenset({"grids"}),
        writes_with=frozenset({"grids", "pixel_size"}),
    ),
    ParticleFormat(
        "eman",
        "info file of EMAN, from the middle",
        ("_info.json", ".json"),
        "subtomo.formats.eman_info:read_eman_info",
        "subtomo.formats.eman_info:write_eman_info",
        _BOXES,
        uses=_FROM_MIDDLE,
        unknown_score=0.0,
        recognises="subtomo.formats.eman_info:is_eman_info",
        keeps="subtomo.formats.eman_info:keeps_column",
    ),
    ParticleFormat(
        "eman-corner",
        "info file of EMAN, from the corner",
        ("_info.json", ".json"),
        "subtomo.formats.eman_info:read_eman_info",
        "subtomo.formats.eman_info:write_eman_info_corner",
        _BOXES,
        uses=_ONE_TOMOGRAM,
        unknown_score=0.0,
        recognises="subtomo.formats.eman_info:is_eman_info",
        keeps="subtomo.formats.eman_info:keeps_column",
    ),
    ParticleFormat(
        "eman-list",
        "list of EMAN",
        (".lst",),
        "subtomo.formats.eman_stacks:read_eman_list",
        "subtomo.formats.eman_stacks:write_eman_list",
        EVERYTHING - {"tables"},
        uses=_FROM_MIDDLE,
        recognises="subtomo.formats.eman_list:is_eman_list",
    ),
    ParticleFormat(
        "eman-stack",
        "stack of EMAN",
        (".hdf",),
        "subtomo.formats.eman_stacks:read_eman_stack",
        None,
        frozenset(),
        uses=_FROM_MIDDLE,
        recognises="subtomo.formats.eman_hdf:is_eman_hdf",
    ),
    ParticleFormat(
        "text",
        "plain text",
        (".txt", ".coords", ".xyz", ".csv"),
        "subtomo.formats.text_points:read_text_points",
        "subtomo.formats.text_points:write_text_points",
        frozenset({"instance_number"}),
        uses=_ONE_TOMOGRAM,
        group="instance",
        recognises="subtomo.formats.text_points:is_points_without_header",
    ),
)


def format_of(
    path: Path | str, name: str | None = None, *, is_output: bool = False
) -> ParticleFormat:
    """Find the format of a table.

    Parameters
    ----------
    path : of the table; its suffix says the format, and its content where several have the suffix
    name : of the format; wins over the suffix
    is_output : the file is to be written: what stands there now says nothing

    Raises
    ------
    FormatError
        If no format has the suffix.
    SettingsError
        If no format has the name.
    """
    path = Path(path)
    if name is not None:
        return _named(name)
    suffix = path.suffix.lower()
    able = [row for row in PARTICLE_FORMATS if (row.writer if is_output else row.reader)]
    called = _of_longest_suffix(path)
    rows = [row for row in called if row in able]
    if not rows:
        known = ", ".join(dict.fromkeys(suffix for row in able for suffix in row.suffixes))
        if called:
            only = "read" if is_output else "written"
            raise FormatError(f"{path}: {called[0].title} is {only} only; expected one of {known}")
        if path.is_dir():
            raise FormatError(
                f"{path}: is a folder; expected a file called {known}, or with --input-format "
                "copick-folder the folder of a copick project"
            )
        raise FormatError(
            f"{path}: no particle format is called {suffix or 'nothing'}; expected one of {known}"
        )
    if is_output or len(rows) == 1 or not path.is_file():
        return rows[0]
    of_content = [row for row in rows if row.recognises is not None and row.is_that_of(path)]
    others = [row for row in rows if row.recognises is None]
    return (*of_content, *others, *rows)[0]


def _of_longest_suffix(path: Path) -> list[ParticleFormat]:
    """Give the formats whose suffix ends a file's name, those of the longest first."""
    name = path.name.lower()
    ends = {
        row.name: max((len(suffix) for suffix in row.suffixes if name.endswith(suffix)), default=0)
        for row in PARTICLE_FORMATS
    }
    rows = [row for row in PARTICLE_FORMATS if ends[row.name]]
    return sorted(rows, key=lambda row: -ends[row.name])


def _named(name: str) -> ParticleFormat:
    found = next((row for row in PARTICLE_FORMATS if row.name == name), None)
    if found is None:
        raise SettingsError(
            f"no particle format is called {name}; expected one of "
            f"{', '.join(row.name for row in PARTICLE_FORMATS)}"
        )
    return found
