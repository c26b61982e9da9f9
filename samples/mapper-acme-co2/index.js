// @ts-check
import { configSchema, DeviceSilentError, defineMapper, noConnection, readEach, Type, writeEach } from 'skerry/mapper'

const url = Type.String({ pattern: '^https?://', description: 'Where the sensor answers, with its room.' })
const field = Type.String({ minLength: 1, description: 'Key of the value in the JSON of the sensor.' })

/** @param {string} address @param {RequestInit} options */
async function ask(address, options) {
  const response = await fetch(address, options).catch((cause) => {
    throw new DeviceSilentError(`${address} does not answer`, { cause })
  })
  if (!response.ok) throw new Error(`${address} answers ${response.status}: ${await response.text()}`)
  return Object(await response.json())
}

export default defineMapper({
  contract: 1,
  protocol: 'acme-co2',
  deviceConfig: configSchema(Type.Object({ url })),
  visitorConfig: configSchema(Type.Object({ field })),
  connectionKey: ({ url }) => url,
  connect: noConnection,
  async read(_connection, visits, signal) {
    const values = await ask(visits[0].device.url, { signal })
    return readEach(visits, signal, ({ visitor }) => values[visitor.field])
  },
  write: (_connection, orders, signal) =>
    writeEach(orders, signal, ({ device, visitor, value }) =>
      ask(device.url, { signal, method: 'PATCH', body: JSON.stringify({ [visitor.field]: value }) }),
    ),
})
