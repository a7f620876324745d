//! Tables for keys, and the property that nothing stray ever approves.
