"""Networks that the house can work on. Each adapter implements `control_plane.ports.Network`."""
