// @ts-check
import { configSchema, defineMapper, readEach, Type, writeEach } from 'skerry/mapper'
import { openTextLine } from 'skerry/mapper/line'

const port = Type.String({ minLength: 1, description: 'Serial port, or tcp://HOST:PORT of a serial server.' })
const baudRate = Type.Integer({ default: 9600, minimum: 300, description: 'Speed of the line, baud.' })
const name = Type.String({
  pattern: '^[A-Z]+$',
  description: 'Name of the value, as the manual of the thermometer has it.',
})

/** @param {string} answer */
function checked(answer) {
  if (answer.startsWith('ERR')) throw new Error(`the thermometer answers ${answer}`)
  return answer
}

export default defineMapper({
  contract: 1,
  protocol: 'acme-thermo',
  deviceConfig: configSchema(Type.Object({ port, baudRate })),
  visitorConfig: configSchema(Type.Object({ name })),
  connectionKey: ({ port }) => port,
  connect: ({ port, baudRate }, context) => openTextLine(port, context, { baudRate }),
  read: (line, visits, signal) =>
    readEach(visits, signal, async ({ visitor }) => checked(await line.ask(`${visitor.name}?`, signal))),
  write: (line, orders, signal) =>
    writeEach(orders, signal, async ({ visitor, value }) =>
      checked(await line.ask(`${visitor.name}=${value}`, signal)),
    ),
})
