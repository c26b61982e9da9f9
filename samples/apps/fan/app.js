// Plain Node.js: the plug of the fan has power while the pump is fast.
import { readFileSync } from 'node:fs'
import mqtt from 'mqtt'

const { SKERRY_MQTT_URL, SKERRY_MQTT_USERNAME, SKERRY_MQTT_PASSWORD_FILE, RPM = '1000' } = process.env
const client = mqtt.connect(SKERRY_MQTT_URL, {
  username: SKERRY_MQTT_USERNAME,
  password: readFileSync(SKERRY_MQTT_PASSWORD_FILE, 'utf8'),
})

client.on('connect', () => client.subscribe('twins/default/pump-1/speed', { qos: 1 }))
client.on('error', (error) => console.error(`the broker: ${error.message}`))

let power
client.on('message', (_topic, payload) => {
  const wanted = Number(payload) >= Number(RPM)
  if (wanted === power) return
  power = wanted
  console.log(`${payload} rpm: the fan is ${wanted ? 'on' : 'off'}`)
  client.publish('twins/default/plug-1/relay/set', String(wanted), { qos: 1 })
})

process.once('SIGTERM', () => client.end())
