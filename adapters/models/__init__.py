"""Models: where trained artefacts are kept, how they are trained, and how they are asked."""
