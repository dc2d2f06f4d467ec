"""What professionals are paid: the physician fee schedule and anesthesia."""
