import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const TERMINALS = '/sys/class/tty'

/**
 * The port that a Bluetooth device is bound to, e.g. `/dev/rfcomm0`. Rejects with how to bind it where it is not. `folder` is where
 * the kernel lists its terminals.
 */
export async function rfcommPort(
  macAddress: string,
  channel: number | undefined,
  folder: string = TERMINALS,
): Promise<string> {
  const wanted = macAddress.toUpperCase().replaceAll('-', ':')
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^rfcomm\d+$/.test(name)).sort()
  for (const name of names) {
    const address = await fact(folder, name, 'address')
    if (address?.toUpperCase() !== wanted) continue
    if (channel === undefined || (await fact(folder, name, 'channel')) === String(channel)) return `/dev/${name}`
  }
  const free = names.length === 0 ? 0 : Math.max(...names.map((name) => Number(name.slice('rfcomm'.length)))) + 1
  throw new Error(
    `no port is bound to ${wanted}: pair the device with bluetoothctl, then bind it with: ` +
      `sudo rfcomm bind ${free} ${wanted} ${channel ?? 1} (sdptool records ${wanted} tells the channel)`,
  )
}

async function fact(folder: string, name: string, file: string): Promise<string | undefined> {
  const text = await readFile(join(folder, name, file), 'utf8').catch(() => undefined)
  return text?.trim()
}
