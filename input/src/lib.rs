//! DOM keyboard, pointer and touch input to evdev events, through xkb.
