//! Frames to H264 and JPEG, and WebRTC peers that carry them.
