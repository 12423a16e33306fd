"""Scripts written for KerasTuner, beside KerasTuner: exit codes and time from start to end."""
