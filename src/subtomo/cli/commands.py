"""The table of commands: add a row, and the options, YAML keys and docs follow.

    "pick match": Command(
        "subtomo.picking.matching.settings:MatchSettings",
        "subtomo.picking.matching.run:run",
        "Find particles by template matching",
    ),

Rows are in alphabetical order. Settings are a ``JobSettings`` (``run(settings, job)``), or a
``CommandSettings`` where nothing is written to a folder (``run(settings)``, which prints).
"""

from collections.abc import Mapping

from subtomo.jobs.command import Command

COMMANDS: Mapping[str, Command] = {
    "align": Command(
        "subtomo.averaging.refinement.settings:AlignSettings",
        "subtomo.averaging.refinement.run:run",
        "Align subtomograms to their average or to references, in one class or several",
    ),
    "average": Command(
        "subtomo.averaging.settings:AverageSettings",
        "subtomo.averaging.run:run",
        "Average subtomograms, or turn them all to one axis",
    ),
    "bin": Command(
        "subtomo.tomograms.settings:BinSettings",
        "subtomo.tomograms.bin_run:run",
        "Bin tomograms, or resample them to another pixel size",
    ),
    "convert particles": Command(
        "subtomo.workflows.convert_particles.settings:ConvertParticlesSettings",
        "subtomo.workflows.convert_particles.run:run",
        "Turn a table of particles into another program's",
    ),
    "demo": Command(
        "subtomo.workflows.demo.settings:DemoSettings",
        "subtomo.workflows.demo.run:run",
        "Simulate, reconstruct, pick, average, and compare with the truth",
    ),
    "extract stacks copick-data-portal": Command(
        "subtomo.extraction.stacks.settings:ExtractCopickDataPortalSettings",
        "subtomo.extraction.stacks.run:run",
        "Cut images of picks out of the CryoET Data Portal's tilt series",
    ),
    "extract stacks copick-local": Command(
        "subtomo.extraction.stacks.settings:ExtractCopickLocalSettings",
        "subtomo.extraction.stacks.run:run",
        "Cut images of a copick project's picks out of tilt series on disk",
    ),
    "extract stacks data-portal": Command(
        "subtomo.extraction.stacks.settings:ExtractDataPortalSettings",
        "subtomo.extraction.stacks.run:run",
        "Cut particle images out of tilt series of the CryoET Data Portal",
    ),
    "extract stacks local": Command(
        "subtomo.extraction.stacks.settings:ExtractLocalSettings",
        "subtomo.extraction.stacks.run:run",
        "Cut particle images out of the tilt series of a RELION project",
    ),
    "extract volumes": Command(
        "subtomo.extraction.settings:ExtractVolumesSettings",
        "subtomo.extraction.run:run",
        "Cut subtomograms out of tomograms",
    ),
    "import dynamo-catalogue": Command(
        "subtomo.workflows.import_dynamo_catalogue.settings:ImportDynamoCatalogueSettings",
        "subtomo.workflows.import_dynamo_catalogue.run:run",
        "Bring in the tomograms, models and tables of a catalogue of Dynamo",
    ),
    "import particles": Command(
        "subtomo.picking.import_particles.settings:ImportParticlesSettings",
        "subtomo.picking.import_particles.run:run",
        "Bring in picks, and say how many are in their tomograms and what would fit better",
    ),
    "import tilt-series": Command(
        "subtomo.tomograms.import_tilt_series.settings:ImportTiltSeriesSettings",
        "subtomo.tomograms.import_tilt_series.run:run",
        "Turn tilt series aligned by IMOD, AreTomo or Warp into a RELION 5 project",
    ),
    "import tomograms": Command(
        "subtomo.tomograms.import_tomograms.settings:ImportTomogramsSettings",
        "subtomo.tomograms.import_tomograms.run:run",
        "Bring in tomograms: found by folder or pattern, placed, linked or copied",
    ),
    "info": Command(
        "subtomo.cli.info:InfoSettings",
        "subtomo.cli.info:run",
        "Describe files: format, size, pixel size, contents",
    ),
    "initial-model": Command(
        "subtomo.averaging.initial_model.settings:InitialModelSettings",
        "subtomo.averaging.initial_model.run:run",
        "Make a first map from particles in unknown orientations",
    ),
    "pick clean": Command(
        "subtomo.picking.cleaning.settings:CleanSettings",
        "subtomo.picking.cleaning.run:run",
        "Keep some of the picks: by score, place, surface, orientation, neighbours",
    ),
    "pick compare": Command(
        "subtomo.picking.comparison.settings:CompareSettings",
        "subtomo.picking.comparison.run:run",
        "Judge picks by others: precision, recall, F1, F-beta, errors",
    ),
    "pick consensus": Command(
        "subtomo.picking.consensus.settings:ConsensusSettings",
        "subtomo.picking.consensus.run:run",
        "Find the particles that several pickers agree on",
    ),
    "pick lattice": Command(
        "subtomo.picking.lattice.settings:LatticeSettings",
        "subtomo.picking.lattice.run:run",
        "Measure microtubules from picks: axial repeat and protofilament number",
    ),
    "pick match": Command(
        "subtomo.picking.matching.settings:MatchSettings",
        "subtomo.picking.matching.run:run",
        "Find particles by template matching",
    ),
    "pick model": Command(
        "subtomo.picking.models.settings:PickModelSettings",
        "subtomo.picking.models.run:run",
        "Make oriented particles from points on vesicles, membranes, filaments and lattices",
    ),
    "pick net apply": Command(
        "subtomo.picking.net.settings:NetApplySettings",
        "subtomo.picking.net.apply_run:run",
        "Pick with a trained net",
    ),
    "pick net pretrain": Command(
        "subtomo.workflows.pretrain_net.settings:PretrainNetSettings",
        "subtomo.workflows.pretrain_net.run:run",
        "Pretrain the network that nets start from, on made-up bodies",
    ),
    "pick net train": Command(
        "subtomo.picking.net.settings:NetTrainSettings",
        "subtomo.picking.net.train_run:run",
        "Train a net from a few picks",
    ),
    "portal export": Command(
        "subtomo.workflows.portal_export.settings:ExportPortalSettings",
        "subtomo.workflows.portal_export.run:run",
        "Copy particles and tilt series of the CryoET Data Portal into a RELION project",
    ),
    "portal export-copick": Command(
        "subtomo.workflows.portal_export.settings:ExportCopickSettings",
        "subtomo.workflows.portal_export.run:run",
        "Copy picks and their tilt series of the CryoET Data Portal into a RELION project",
    ),
    "reconstruct copick-data-portal": Command(
        "subtomo.averaging.reconstruction.settings:ReconstructCopickDataPortalSettings",
        "subtomo.averaging.reconstruction.run:run",
        "Reconstruct maps of picks from the CryoET Data Portal's tilt series",
    ),
    "reconstruct copick-local": Command(
        "subtomo.averaging.reconstruction.settings:ReconstructCopickLocalSettings",
        "subtomo.averaging.reconstruction.run:run",
        "Reconstruct maps of a copick project's picks from tilt series on disk",
    ),
    "reconstruct data-portal": Command(
        "subtomo.averaging.reconstruction.settings:ReconstructDataPortalSettings",
        "subtomo.averaging.reconstruction.run:run",
        "Reconstruct maps from tilt series of the CryoET Data Portal",
    ),
    "reconstruct local": Command(
        "subtomo.averaging.reconstruction.settings:ReconstructLocalSettings",
        "subtomo.averaging.reconstruction.run:run",
        "Reconstruct maps from the tilt series of a RELION project",
    ),
    "reconstruct stacks": Command(
        "subtomo.averaging.reconstruction.stacks_settings:ReconstructStacksSettings",
        "subtomo.averaging.reconstruction.stacks_run:run",
        "Reconstruct maps from particle images of RELION, WarpTools or extract stacks",
    ),
    "run": Command(
        "subtomo.workflows.pipeline_settings:PipelineSettings",
        "subtomo.cli.run_pipeline:run",
        "Run several steps from one YAML file",
    ),
    "simulate": Command(
        "subtomo.simulation.settings:SimulateSettings",
        "subtomo.simulation.run:run",
        "Simulate tilt series with a known truth",
    ),
    "tomogram reconstruct": Command(
        "subtomo.tomograms.settings:ReconstructSettings",
        "subtomo.tomograms.reconstruct_run:run",
        "Reconstruct tomograms from tilt series by weighted back-projection",
    ),
}

GROUPS: Mapping[str, str] = {
    "convert": "Turn files into those of other programs",
    "extract": "Cut particles out of tomograms and tilt series",
    "extract stacks": "Cut the images of particles out of tilt series, as RELION 5 does",
    "import": "Bring in what other programs made",
    "pick": "Find particles in tomograms",
    "pick net": "Find particles by a network that learns from a few picks",
    "portal": "Bring in what the CryoET Data Portal has",
    "reconstruct": "Reconstruct maps from the images of particles",
    "tomogram": "Make tomograms from tilt series",
}
