//! vroomd: who may see and do what.
