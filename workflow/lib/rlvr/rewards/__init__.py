"""The only graders and rewards: imported by training and by evaluation alike."""
