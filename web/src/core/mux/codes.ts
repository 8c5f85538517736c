/** Close and error codes of the mux and of VROOM. */
export const Code = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  Unsupported: 1003,
  AuthFailed: 4000,
  InvalidMessage: 4001,
  ChannelFull: 4002,
  ChannelNotFound: 4003,
  RateLimited: 4004,
  MessageTooLarge: 4005,
  VersionMismatch: 4006,
  HelloTimeout: 4007,
  SessionNotFound: 4100,
  SessionExpired: 4101,
  BufferOverflow: 4102,
  SequenceMismatch: 4103,
  NotAllowed: 4110,
  DriverBusy: 4111,
  NameInUse: 4112,
  WrongState: 4113,
  LimitReached: 4114,
  Replaced: 4115,
  IdleTimeout: 4116,
  Revoked: 4117,
  NoSuchTarget: 4118,
  NoSuchTerminal: 4204,
} as const;

/** Mux message types of channel 0. */
export const Mux = {
  Hello: 0x01,
  Welcome: 0x02,
  OpenChannel: 0x03,
  ChannelAck: 0x04,
  CloseChannel: 0x05,
  ChannelReject: 0x06,
  Ping: 0x10,
  Pong: 0x11,
  Close: 0x20,
  SessionId: 0x30,
  ResumeRequest: 0x31,
  ResumeResponse: 0x32,
  Detach: 0x33,
  SessionListRequest: 0x34,
  SessionListResponse: 0x35,
  SequenceAck: 0x37,
  SessionControl: 0x38,
  Error: 0xf0,
} as const;

/** The control channel, always open. */
export const CONTROL = 0;
