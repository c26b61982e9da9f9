import { DEVICE_FAILURE, ILLEGAL_FUNCTION, ILLEGAL_VALUE, type ModbusMemory, ServerException } from './modbus-memory.ts'

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
      memory.writeCoils(unitId, start, unpackBits(request.subarray(6), second))
      return request.subarray(0, 5)
    case 16:
      limit(second, 123)
      memory.writeRegisters(
        unitId,
        start,
        Array.from({ length: second }, (_, i) => request.readUInt16BE(6 + i * 2)),
      )
      return request.subarray(0, 5)
    default:
      throw new ServerException(ILLEGAL_FUNCTION)
  }
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
