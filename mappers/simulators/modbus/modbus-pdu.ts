import { DEVICE_FAILURE, ILLEGAL_FUNCTION, ILLEGAL_VALUE, type ModbusMemory, ServerException } from './modbus-memory.ts'

const FUNCTIONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 15, 16, 22, 23])

/** Answers one request (function code and data, Modbus application protocol V1.1b3, section 6). Never throws. */
export function answerPdu(request: Buffer, unitId: number, memory: ModbusMemory): Buffer {
  const code = request.readUInt8(0)
  try {
    return serve(code, request, unitId, memory)
  } catch (error) {
    const exception =
      error instanceof ServerException ? error.exception : error instanceof RangeError ? ILLEGAL_VALUE : DEVICE_FAILURE
    return Buffer.from([code | 0x80, exception])
  }
}

function serve(code: number, request: Buffer, unitId: number, memory: ModbusMemory): Buffer {
  if (!FUNCTIONS.has(code)) throw new ServerException(ILLEGAL_FUNCTION)
  const start = request.readUInt16BE(1)
  const second = request.readUInt16BE(3)
  switch (code) {
    case 1:
    case 2:
      limit(second, 2000)
      return bitsAnswer(code, memory.readBits(code === 1 ? 'coil' : 'discrete', unitId, start, second))
    case 3:
    case 4:
      limit(second, 125)
      return registersAnswer(code, memory.readRegisters(code === 3 ? 'holding' : 'input', unitId, start, second))
    case 5:
      if (second !== 0 && second !== 0xff00) throw new ServerException(ILLEGAL_VALUE)
      memory.writeCoils(unitId, start, [second === 0xff00])
      return request.subarray(0, 5)
    case 6:
      memory.writeRegisters(unitId, start, [second])
      return request.subarray(0, 5)
    case 15:
      limit(second, 1968)
      counted(request, 5, Math.ceil(second / 8))
      memory.writeCoils(unitId, start, unpackBits(request.subarray(6), second))
      return request.subarray(0, 5)
    case 16:
      limit(second, 123)
      counted(request, 5, second * 2)
      memory.writeRegisters(unitId, start, registersAt(request, 6, second))
      return request.subarray(0, 5)
    case 22:
      return maskWrite(request, unitId, memory)
    case 23:
      return readWrite(request, unitId, memory)
    default:
      throw new ServerException(ILLEGAL_FUNCTION)
  }
}

/** 6.16: what the first mask keeps, and what the second sets where the first does not. */
function maskWrite(request: Buffer, unitId: number, memory: ModbusMemory): Buffer {
  const [start, and, or] = [request.readUInt16BE(1), request.readUInt16BE(3), request.readUInt16BE(5)]
  const [now = 0] = memory.readRegisters('holding', unitId, start, 1)
  memory.writeRegisters(unitId, start, [((now & and) | (or & ~and)) & 0xffff])
  return request.subarray(0, 7)
}

/** 6.17: writes before it reads. */
function readWrite(request: Buffer, unitId: number, memory: ModbusMemory): Buffer {
  const [start, count] = [request.readUInt16BE(1), request.readUInt16BE(3)]
  const [writeStart, writeCount] = [request.readUInt16BE(5), request.readUInt16BE(7)]
  limit(count, 125)
  limit(writeCount, 121)
  counted(request, 9, writeCount * 2)
  memory.writeRegisters(unitId, writeStart, registersAt(request, 10, writeCount))
  return registersAnswer(23, memory.readRegisters('holding', unitId, start, count))
}

function registersAt(request: Buffer, at: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => request.readUInt16BE(at + index * 2))
}

/** The byte count that a request carries besides its number of values. */
function counted(request: Buffer, at: number, bytes: number): void {
  if (request.readUInt8(at) !== bytes) throw new ServerException(ILLEGAL_VALUE)
}

function limit(count: number, most: number): void {
  if (count < 1 || count > most) throw new ServerException(ILLEGAL_VALUE)
}

function bitsAnswer(code: number, values: readonly boolean[]): Buffer {
  const answer = Buffer.alloc(2 + Math.ceil(values.length / 8))
  answer.writeUInt8(code, 0)
  answer.writeUInt8(answer.length - 2, 1)
  for (const [index, on] of values.entries()) {
    const at = 2 + (index >> 3)
    if (on) answer.writeUInt8(answer.readUInt8(at) | (1 << (index & 7)), at)
  }
  return answer
}

function registersAnswer(code: number, values: readonly number[]): Buffer {
  const answer = Buffer.alloc(2 + values.length * 2)
  answer.writeUInt8(code, 0)
  answer.writeUInt8(values.length * 2, 1)
  for (const [index, value] of values.entries()) answer.writeUInt16BE(value & 0xffff, 2 + index * 2)
  return answer
}

function unpackBits(bytes: Buffer, count: number): readonly boolean[] {
  return Array.from({ length: count }, (_, index) => ((bytes.readUInt8(index >> 3) >> (index & 7)) & 1) === 1)
}
