import { readFileSync } from 'node:fs'
import { arch, cpus, hostname, networkInterfaces, platform, release, totalmem } from 'node:os'

/** What the Node says of the machine. */
export interface MachineFacts {
  readonly cpus: number
  readonly memoryBytes: number
  readonly os: string
  readonly kernel: string
  /** As Node.js names it. */
  readonly architecture: string
  readonly hostname: string
  /** First address that is not loopback; absent where there is none. */
  readonly address?: string
  /** As people call the system, such as `Debian GNU/Linux 13`. */
  readonly image?: string
  readonly machineId?: string
  readonly systemUuid?: string
  /** Another one after each start of the machine. */
  readonly bootId?: string
  /** Size of the disk of the data directory. */
  readonly diskBytes?: number
}

/** Looks at this machine; what it does not tell is left out. */
export function machineFacts(): MachineFacts {
  const address = machineAddress()
  const image = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(textIn('/etc/os-release') ?? '')?.[1]
  const machineId = textIn('/etc/machine-id')
  const systemUuid = textIn('/sys/class/dmi/id/product_uuid')
  const bootId = textIn('/proc/sys/kernel/random/boot_id')
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    os: platform(),
    kernel: release(),
    architecture: arch(),
    hostname: hostname(),
    ...(address ? { address } : {}),
    ...(image ? { image } : {}),
    ...(machineId ? { machineId } : {}),
    ...(systemUuid ? { systemUuid } : {}),
    ...(bootId ? { bootId } : {}),
  }
}

/** The first address of this machine: IPv4 before IPv6, and no address that is good on its own link alone. */
export function machineAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = all.filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
  return (outer.find(({ family }) => family === 'IPv4') ?? outer[0])?.address
}

/** Undefined for a file that is missing, empty, or not for this user. */
function textIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
