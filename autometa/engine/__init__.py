"""Engine: what users call; it joins the components and the policy."""
