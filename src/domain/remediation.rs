//! What may be done: steps, runbooks, policy, approval, the gate, verification. Uses the other two rooms.
