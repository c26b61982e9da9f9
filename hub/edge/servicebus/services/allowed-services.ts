import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { ServiceError } from '../service-error.ts'

/** What is to be called. */
export interface CallTarget {
  readonly port: number
  readonly method: string
  /** Path and query, as they go to the service. */
  readonly path: string
}

/** The services that the operator allowed; all others are refused with what to write to allow them. */
export class AllowedServices {
  readonly #services: readonly LocalServiceConfig[]

  constructor(services: readonly LocalServiceConfig[]) {
    this.#services = services
  }

  get size(): number {
    return this.#services.length
  }

  /** Of several entries with one port the first that allows the call counts. */
  find({ port, method, path }: CallTarget): LocalServiceConfig {
    if (!isTarget(path)) throw malformed('the path is no absolute path of visible ASCII characters')
    const [plain = ''] = path.split('?', 1)
    if (climbs(plain)) throw malformed('the path has a segment `..` or `.`, or a backslash')
    const atPort = this.#services.filter((service) => service.port === port)
    if (atPort.length === 0) throw notAllowed(port, plain)
    const onPath = atPort.filter(({ paths }) => paths.some((allowed) => covers(allowed, plain)))
    if (onPath.length === 0) {
      throw new ServiceError(
        403,
        `Path ${shown(plain)} of port ${port} may not be called: add it to paths of the service`,
        {
          code: 'HUB_SERVICE_PATH_REFUSED',
          fields: { port, path: shown(plain), add: `serviceBus.services: paths: ["${shown(plain)}"]` },
        },
      )
    }
    const found = onPath.find(({ methods }) => methods.some((allowed) => allowed === method))
    if (found) return found
    const allowed = [...new Set(onPath.flatMap(({ methods }) => methods))]
    throw new ServiceError(
      405,
      `Method ${shown(method)} may not be used on port ${port}: add it to methods of the service`,
      {
        code: 'HUB_SERVICE_METHOD_REFUSED',
        fields: { port, method: shown(method), allowed },
      },
    )
  }
}

const LONGEST_SHOWN = 100

function notAllowed(port: number, path: string): ServiceError {
  return new ServiceError(
    403,
    `Port ${port} is no service that may be called: add \`- port: ${port}\` to serviceBus.services in the configuration of the edge`,
    {
      code: 'HUB_SERVICE_NOT_ALLOWED',
      fields: { port, path: shown(path), add: `serviceBus.services: [{port: ${port}}]` },
    },
  )
}

function malformed(reason: string): ServiceError {
  return new ServiceError(400, 'The call of a local service is malformed', {
    code: 'HUB_SERVICE_REQUEST_MALFORMED',
    fields: { reason },
  })
}

/** RFC 9112 §3.2.1, without what no HTTP client sends: blanks, control characters, fragments and what is not ASCII. */
function isTarget(path: string): boolean {
  return /^\/[\x21-\x22\x24-\x7e]*$/.test(path)
}

/** A service may take `%2e%2e%2f` for `../`, and so leave what it is allowed to be asked for. */
function climbs(path: string): boolean {
  const decoded = path.replace(/%(2e|2f|5c)/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return decoded.includes('\\') || decoded.split('/').some((segment) => segment === '..' || segment === '.')
}

function covers(allowed: string, path: string): boolean {
  return path === allowed || (allowed.endsWith('/') && path.startsWith(allowed))
}

function shown(text: string): string {
  return text.slice(0, LONGEST_SHOWN)
}
