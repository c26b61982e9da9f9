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

/**
 * An answer came that is none to this request, on a link that carries whole answers only: the device makes mistakes with it, as
 * some do with more registers than they can give; the link is fine.
 */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer'
}

/** What costs one request and nothing else. */
export type Refusal = ModbusException | WrongAnswer

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof ModbusException || error instanceof WrongAnswer
}

/** Nothing, or nothing usable, came in time. What that means for the connection is not decided here. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** Something came, but it was no answer to this request. */
  readonly garbled: boolean

  constructor(message: string, garbled = false) {
    super(message)
    this.garbled = garbled
  }
}

/** Illegal function, data address or data value, or a failure while serving it: may be about single registers. */
export function blamesRegisters(error: Refusal): boolean {
  return error instanceof WrongAnswer || (error.exception >= 1 && error.exception <= 4)
}

/** The device does not know the function, whatever the address is. */
export function blamesFunction(error: unknown): boolean {
  return error instanceof ModbusException && error.exception === 1
}

/** A gateway says that the unit behind it cannot be reached or did not answer. */
export function blamesPath(error: unknown): boolean {
  return error instanceof ModbusException && (error.exception === 10 || error.exception === 11)
}
