/** How a port is opened. */
export interface SerialSettings {
  /** E.g. `/dev/ttyUSB0`, `/dev/serial/by-id/...`, `COM3`. */
  readonly path: string
  readonly baudRate: number
  readonly dataBits: 5 | 6 | 7 | 8
  readonly parity: 'none' | 'even' | 'odd'
  readonly stopBits: 1 | 2
  readonly flowControl: 'none' | 'hardware' | 'software'
}
