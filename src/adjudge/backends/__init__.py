"""What answers a call: endpoints, local models, functions, sandboxes and people; one door pays nothing twice."""
