"""Settings of ``subtomo average``."""

from subtomo.averaging.apply_alignment.settings import ApplyAlignmentOptions
from subtomo.averaging.particle_settings import AveragedParticles
from subtomo.jobs.settings import JobSettings


class AverageSettings(ApplyAlignmentOptions, AveragedParticles, JobSettings):
    """Options of averaging, and of turning boxes as their table says."""
