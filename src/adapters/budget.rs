//! One rate budget an API family, shared by every panel: a cockpit must not throttle the account it tries to save.
