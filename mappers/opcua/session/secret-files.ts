import { stat } from 'node:fs/promises'
import type { MapperContext } from '../../contract/index.ts'
import type { DeviceConfig } from '../config.ts'

/** Says where a secret of the device lies open to other users of this machine. A file that is missing is told by whoever reads it. */
export async function warnOfOpenSecrets(device: DeviceConfig, log: MapperContext['log']): Promise<void> {
  for (const file of [device.passwordFile, device.userPrivateKeyFile, device.privateKeyFile]) {
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
    if (found && (found.mode & 0o004) !== 0) log.warn('Others on this machine may read a secret: chmod 600', { file })
  }
}
