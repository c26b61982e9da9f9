import { existsSync } from 'node:fs'
import { chown, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  hashPassword,
  passwordLine,
  refuseUserName,
  withPasswordLine,
} from '../../../platform/bus/mqtt/access/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { configFile } from '../config-file.ts'
import { dataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import { readConfig } from '../read-config.ts'
import { readSecret } from '../read-secret.ts'
import type { Console } from '../terminal.ts'

export interface MqttPasswordOptions extends CommonOptions {
  readonly delete?: boolean
}

/** `skerry mqtt password NAME`: sets the password of a user of the broker, or removes the user. A running edge follows the file. */
export async function mqttPassword(name: string, options: MqttPasswordOptions, terminal: Console): Promise<number> {
  const reason = refuseUserName(name)
  if (reason !== undefined) throw new ConfigError(reason, { code: 'PROCESS_MQTT_USER_NAME' })
  const { file, isListed } = await place(name, options)
  const before = await readFileIfPresent(file)
  if (options.delete === true) {
    const after = withPasswordLine(before ?? '', name, undefined)
    if (after === (before ?? '')) {
      throw new RefusedError(`there is no user ${name} in ${file}`, { code: 'PROCESS_MQTT_USER_UNKNOWN' })
    }
    await replace(file, after)
    terminal.print(options.output, { name, file, deleted: true }, `${name} is removed from ${file}`)
    return EXIT.ok
  }
  const secret = await readSecret(`Password of ${name}`, terminal)
  const line = passwordLine(name, await hashPassword(Buffer.from(secret)))
  await replace(file, withPasswordLine((await readFileIfPresent(file)) ?? '', name, line))
  const next = isListed ? '' : `\nIt may do nothing yet: say what in mqtt.clients of the configuration of the edge.`
  terminal.print(options.output, { name, file, listed: isListed }, `${name} can log in (${file})${next}`)
  return EXIT.ok
}

/** The file that the edge of this data directory reads, and whether its configuration says what the user may do. */
async function place(name: string, options: CommonOptions) {
  const given = dataDirectory(options.data, 'ask')
  // The edge half of a `skerry up` has its own folder in that data directory.
  const directory = existsSync(join(given, 'edge', 'config.yaml')) ? join(given, 'edge') : given
  const config = configFile(options.config, directory)
  const mqtt = config === undefined ? undefined : (await readConfig('edge', { file: config })).mqtt
  const isListed = mqtt?.clients.some((client) => client.name === name) === true
  if (mqtt?.passwordFile !== undefined) return { file: mqtt.passwordFile, isListed }
  await ensureDirectory(join(directory, 'mqtt'), 0o700)
  return { file: join(directory, 'mqtt', 'passwords'), isListed }
}

/** It keeps its owner, or gets that of its folder: root may set passwords for a service that is not. */
async function replace(named: string, text: string): Promise<void> {
  // A link stays one.
  const file = existsSync(named) ? await realpath(named) : named
  const { uid, gid } = await stat(existsSync(file) ? file : dirname(file))
  await writeFileAtomic(file, text, 0o600)
  if (process.geteuid?.() === 0) await chown(file, uid, gid)
}
