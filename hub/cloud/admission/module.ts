import { readBody, sendJson, sendText, serveHttps } from '../../../platform/http/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, minutes, type Random, seconds } from '../../../platform/time/index.ts'
import type { ServingCertificate } from '../authority/cloud-authority.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { ListeningModule } from '../certificate-server/module.ts'
import { parseJson } from '../kubernetes/guards.ts'
import { DEVICE_MODELS, type Kubernetes } from '../kubernetes/index.ts'
import { answerConversion } from './conversion.ts'
import { registerConversion } from './conversion-registration.ts'
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
const CONVERSION = 'convert'
/** The API server's own limit of a request is 3 MiB; a review holds the object twice. */
const LARGEST_REVIEW = 8 * 1024 * 1024
/** A whole list may come to be converted. */
const LARGEST_CONVERSION = 32 * 1024 * 1024
/** Definitions that are applied again may have lost their conversion. */
const LOOK_EVERY = minutes(5)

/**
 * The webhooks of Device and DeviceModel: one validates, one converts v1alpha2. They serve at once, and register themselves as soon
 * as the API lets them.
 */
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
          const isConversion = request.url?.split('?')[0]?.endsWith(`/${CONVERSION}`) === true
          const review = isConversion ? 'a ConversionReview' : 'an AdmissionReview'
          if (request.method !== 'POST') return sendText(response, 405, 'text/plain', `POST ${review}\n`)
          const bytes = await readBody(request, isConversion ? LARGEST_CONVERSION : LARGEST_REVIEW, signal)
          const body = parseJson(bytes.toString('utf8'))
          const answer = isConversion ? answerConversion(body) : await answerReview(body, modelOf)
          if (answer) sendJson(response, 200, answer)
          else sendText(response, 400, 'text/plain', `this is not ${review}\n`)
        },
      })
      scope.use(server)
      scope.use(ports.authority.current.onServing((renewed) => server.renew(contextOf(renewed))))
      port = server.port
      const host = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host
      const url = options.url ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}${PATH}`
      const { kubernetes, log } = ports
      const validation = { what: 'Admission of devices', url, ca: caPem }
      scope.run((signal) =>
        register(validation, ports, signal, () => registerWebhook(kubernetes, validation, log, signal)),
      )
      const conversion = { what: 'Conversion of v1alpha2', url: new URL(CONVERSION, url).href, ca: caPem }
      scope.run(async (signal) => {
        for (;;) {
          await register(conversion, ports, signal, () => registerConversion(kubernetes, conversion, log, signal))
          await ports.clock.sleep(LOOK_EVERY, signal)
        }
      })
    },
  }
}

async function register(
  { what }: { readonly what: string },
  { clock, random, log }: AdmissionPorts,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const backoff = new Backoff({ first: seconds(1), most: seconds(60) }, random)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      log.warn(`${what} is not registered yet`, { error: describeError(error) })
      await clock.sleep(backoff.next(), signal)
    }
  }
}
