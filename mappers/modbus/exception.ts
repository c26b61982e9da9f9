/** The device answered with an exception: this request is refused, the link is fine. */
export class ModbusException extends Error {
  override readonly name = 'ModbusException'
  /** Modbus application protocol V1.1b3, section 7. */
  readonly exception: number

  constructor(exception: number, message: string) {
    super(message)
    this.exception = exception
  }
}

/** Illegal function, data address or data value: about the registers asked for, not about the device's health. */
export function blamesRegisters(error: ModbusException): boolean {
  return error.exception >= 1 && error.exception <= 3
}
