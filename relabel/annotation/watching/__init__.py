"""What goes on in CVAT: tasks, jobs and people."""
