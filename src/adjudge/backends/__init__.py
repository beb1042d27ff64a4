"""What answers a call: endpoints, local models, functions, sandboxes and people, behind one door that pays nothing twice."""
