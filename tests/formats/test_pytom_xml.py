"""Particle lists of PyTom, as its own tests and tutorial have them."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from subtomo.errors import FormatError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles

CONTEXT = TableContext(pixel_size=10.0)
# particles of PyTom's tutorial and of its tests, shortened
LIST = """<!-- PyTom Version: 1.0 -->
<ParticleList Path="">
  <Particle Filename="subtomograms/particle_0.em">
    <Rotation X="77.3204393293" Paradigm="ZXZ" Z1="-59.9796818569" Z2="79.3052103398"/>
    <Shift Y="0.25" X="0.5" Z="-1.0"/>
    <PickPosition Origin="./tomogram.em" Y="263" Z="67" X="191" Binning="1"/>
    <Wedge Type="SingleTiltWedge">
        <SingleTiltWedge Smooth="0.0" Angle1="30.0" CutoffRadius="0.0" Angle2="40.0">
          <Rotation Z1="0.0" Z2="0.0" X="0.0"/>
        </SingleTiltWedge>
    </Wedge>
    <Score Type="FLCFScore" Value="0.546716570854">
      <PeakPrior Smooth="-1.0" Radius="0.0" Filename=""/>
    </Score>
    <Class Name="0"/>
  </Particle>
  <Particle Filename="subtomograms/particle_1.em">
    <Rotation Z1="0" Z2="0" X="0" Paradigm="ZXZ"/>
    <PickPosition X="436" Y="92" Z="36" Origin="rec/TS_2.mrc" Binning="2"/>
    <Score Type="FLCFScore" Value="0.5"/>
    <Class Name="ribosome"/>
  </Particle>
</ParticleList>
"""


def _read(folder: Path, text: str = LIST) -> Particles:
    (folder / "list.xml").write_text(text)
    return read_particles(folder / "list.xml", context=CONTEXT)


def test_a_list_of_pytom(tmp_path: Path) -> None:
    particles = _read(tmp_path)
    np.testing.assert_allclose(particles.position, [[1915, 2632.5, 660], [4360, 920, 360]])
    assert particles.tomogram.tolist() == ["tomogram", "TS_2"]
    assert particles.class_name.tolist() == ["", "ribosome"]
    assert particles.score.tolist() == [0.546716570854, 0.5]
    assert particles.is_oriented.tolist() == [True, False]
    assert particles.extra["pytom.Filename"].tolist()[1] == "subtomograms/particle_1.em"
    assert particles.extra["pytom.PickPosition.Binning"].tolist() == [1, 2]
    assert particles.extra["pytom.Wedge.SingleTiltWedge.Angle2"].tolist() == ["40.0", ""]


def test_the_template_is_turned_about_z_then_x_then_z(tmp_path: Path) -> None:
    rotation = matrices_from_quaternions(_read(tmp_path).orientation[0])
    z2, x = np.radians([79.3052103398, 77.3204393293])
    # the template's z axis, tilted about x by X and turned about z by Z2
    axis = np.array([np.sin(z2) * np.sin(x), -np.cos(z2) * np.sin(x), np.cos(x)])
    np.testing.assert_allclose(rotation[:, 2], axis, atol=1e-9)
    # turning about z first moves x by Z1 only
    flat = LIST.replace('X="77.3204393293"', 'X="0"').replace('Z2="79.3052103398"', 'Z2="0"')
    turned = matrices_from_quaternions(_read(tmp_path, flat).orientation[0])
    z1 = np.radians(-59.9796818569)
    np.testing.assert_allclose(turned[:, 0], [np.cos(z1), np.sin(z1), 0], atol=1e-9)


def test_all_of_a_list_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "again.xml"
    write_particles(path, _read(tmp_path), context=CONTEXT)
    first, second = ElementTree.parse(path).getroot().findall("Particle")
    assert first.get("Filename") == "subtomograms/particle_0.em"
    wedge = first.find("Wedge")
    assert wedge is not None
    assert wedge.get("Type") == "SingleTiltWedge"
    single = wedge.find("SingleTiltWedge")
    assert single is not None
    assert single.attrib == {
        "Smooth": "0.0",
        "Angle1": "30.0",
        "CutoffRadius": "0.0",
        "Angle2": "40.0",
    }
    assert single.find("Rotation") is not None
    position = second.find("PickPosition")
    assert position is not None
    assert position.attrib == {
        **{"X": "436.0", "Y": "92.0", "Z": "36.0"},
        **{"Origin": "rec/TS_2.mrc", "Binning": "2"},
    }
    assert second.find("Wedge") is None


def test_twins_of_an_element_stay_apart(tmp_path: Path) -> None:
    wedge = (
        '<Wedge Type="DoubleTiltWedge"><DoubleTiltWedge><SingleTiltWedge Angle1="30"/>'
        '<SingleTiltWedge Angle1="40"/></DoubleTiltWedge></Wedge>'
    )
    text = (
        '<ParticleList><Particle Filename="a"><PickPosition X="1" Y="2" Z="3"/>'
        f"{wedge}</Particle></ParticleList>"
    )
    particles = _read(tmp_path, text)
    assert particles.tomogram.tolist() == ["list"]
    write_particles(tmp_path / "again.xml", particles, context=CONTEXT)
    angles = [e.get("Angle1") for e in ElementTree.parse(tmp_path / "again.xml").iter() if e.attrib]
    assert [angle for angle in angles if angle] == ["30", "40"]


def test_other_orders_of_angles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"list.xml, particle 1: angles are YZX; expected ZXZ"):
        _read(tmp_path, LIST.replace('X="77.3204393293" Paradigm="ZXZ"', 'X="7" Paradigm="YZX"'))
