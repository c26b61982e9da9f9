import { readBody, sendJson, sendText, serveHttps } from '../../../platform/http/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { ServingCertificate } from '../authority/cloud-authority.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { ListeningModule } from '../certificate-server/module.ts'
import { parseJson } from '../kubernetes/guards.ts'
import { DEVICE_MODELS, type Kubernetes } from '../kubernetes/index.ts'
import { registerWebhook } from './registration.ts'
import { answerReview, type ModelLookup } from './review.ts'

export interface AdmissionOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Under which the API server reaches the webhook; absent: from host and port. */
  readonly url?: string
}

export interface AdmissionPorts {
  readonly authority: AuthorityHolder
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

const PATH = '/validate'
/** The API server's own limit of a request is 3 MiB; a review holds the object twice. */
const LARGEST_REVIEW = 8 * 1024 * 1024

/** The validating webhook of Device and DeviceModel. It serves at once, and registers itself as soon as the API lets it. */
export function createAdmissionModule(options: AdmissionOptions, ports: AdmissionPorts): ListeningModule {
  let port = 0
  return {
    name: 'Admission',
    get port() {
      return port
    },
    async start(scope) {
      const { serving, caPem } = ports.authority.current
      const contextOf = ({ certificatePem, keyPem }: ServingCertificate) => ({ cert: certificatePem, key: keyPem })
      const modelOf: ModelLookup = (namespace, name) => ports.kubernetes.get(DEVICE_MODELS, { namespace, name })
      const server = await serveHttps({
        at: options,
        log: ports.log,
        tls: contextOf(serving),
        handler: async (request, response, signal) => {
          if (request.method !== 'POST') return sendText(response, 405, 'text/plain', 'POST an AdmissionReview\n')
          const body = await readBody(request, LARGEST_REVIEW, signal)
          const answer = await answerReview(parseJson(body.toString('utf8')), modelOf)
          if (answer) sendJson(response, 200, answer)
          else sendText(response, 400, 'text/plain', 'this is no AdmissionReview\n')
        },
      })
      scope.use(server)
      scope.use(ports.authority.current.onServing((renewed) => server.renew(contextOf(renewed))))
      port = server.port
      const host = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host
      const url = options.url ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}${PATH}`
      scope.run((signal) => register({ url, ca: caPem }, ports, signal))
    },
  }
}

async function register(
  address: { readonly url: string; readonly ca: string },
  { kubernetes, clock, random, log }: AdmissionPorts,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff({ first: seconds(1), most: seconds(60) }, random)
  for (;;) {
    try {
      return await registerWebhook(kubernetes, address, log, signal)
    } catch (error) {
      signal.throwIfAborted()
      log.warn('Admission of devices is not registered yet', { error: describeError(error) })
      await clock.sleep(backoff.next(), signal)
    }
  }
}
