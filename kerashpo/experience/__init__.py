"""What worked on data like these: a folder of studies, and features of their data.

=============  =====================================================================
``features``   about fifteen numbers that describe a data set (meta-features)
``distance``   how far data sets are from each other, by these numbers
``notes``      the file that keeps them beside a study's log
``folder``     `Experience`: the studies below a folder, the nearest first
=============  =====================================================================

Tuners with ``context="auto"`` write the features of their data beside their log and start from
the studies of the most similar data. To add a feature: a function in ``features``.
"""

from kerashpo.experience.features import data_features
from kerashpo.experience.folder import Experience
from kerashpo.experience.notes import note, noted

__all__ = ["Experience", "data_features", "note", "noted"]
