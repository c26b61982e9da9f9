import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { countRefusals, readBody, sendJson, sendText, serveHttps } from '../../../platform/http/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { splitDeviceId } from '../../../schemas/index.ts'
import type { ServingCertificate } from '../authority/cloud-authority.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { ListeningModule } from '../certificate-server/module.ts'
import { parseJson } from '../kubernetes/guards.ts'
import { type ApiTroubles, DEVICE_MODELS, type Kubernetes } from '../kubernetes/index.ts'
import { answerAutonomy } from './autonomy.ts'
import { registerAutonomy } from './autonomy-registration.ts'
import { answerConversion } from './conversion.ts'
import { registerConversion } from './conversion-registration.ts'
import { keepRegistered, type WebhookPlace, type WebhookService } from './keep-registered.ts'
import { answerReview, type ModelLookup } from './review.ts'
import type { RuleLookup } from './rules.ts'
import { sharedLookup } from './shared-lookup.ts'
import { registerValidation } from './validation-registration.ts'

export interface AdmissionOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Under which the API server reaches the webhook; absent: from host and port. */
  readonly url?: string
  /** Instead of a URL, where this runs in a pod: API servers know no names of the cluster. */
  readonly service?: WebhookService
}

export interface AdmissionPorts {
  readonly authority: AuthorityHolder
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** Absent: rules are not judged. */
  readonly rules?: RuleLookup['rules']
  readonly endpoints?: RuleLookup['endpoints']
  /** Told of definitions that are older than what is written. */
  readonly troubles?: ApiTroubles
}

const PATH = '/validate'
const CONVERSION = 'convert'
const AUTONOMY = 'pods'
/** The API server's own limit of a request is 3 MiB; a review holds the object twice. */
const LARGEST_REVIEW = 8 * 1024 * 1024
/** A whole list may come to be converted. */
const LARGEST_CONVERSION = 32 * 1024 * 1024

/**
 * The webhooks: one validates devices, their models, and rules, one converts their v1alpha2, one lets labelled pods stay with a node that is
 * not reachable. They serve at once, and register themselves as soon as the API lets them.
 */
export function createAdmissionModule(options: AdmissionOptions, ports: AdmissionPorts): ListeningModule {
  let port = 0
  return {
    name: 'Admission',
    get port() {
      return port
    },
    async start(scope) {
      const { authority, kubernetes, log, troubles } = ports
      const contextOf = ({ certificatePem, keyPem }: ServingCertificate) => ({ cert: certificatePem, key: keyPem })
      const lookUp = sharedLookup((key) => kubernetes.get(DEVICE_MODELS, splitDeviceId(key)))
      const modelOf: ModelLookup = (namespace, name) => lookUp(`${namespace}/${name}`)
      const { rules, endpoints } = ports
      const lookups = { modelOf, ...(rules && endpoints ? { rules: { rules, endpoints } } : {}) }
      const server = await serveHttps({
        at: options,
        log,
        clock: ports.clock,
        onRefused: countRefusals(ports.metrics ?? silentMetrics, 'admission'),
        tls: contextOf(authority.current.serving),
        handler: async (request, response, signal) => {
          const isOf = (path: string) => request.url?.split('?')[0]?.endsWith(`/${path}`) === true
          const isConversion = isOf(CONVERSION)
          const review = isConversion ? 'a ConversionReview' : 'an AdmissionReview'
          if (request.method !== 'POST') return sendText(response, 405, 'text/plain', `POST ${review}\n`)
          const bytes = await readBody(request, isConversion ? LARGEST_CONVERSION : LARGEST_REVIEW, signal)
          const body = parseJson(bytes.toString('utf8'))
          const answer = isConversion
            ? answerConversion(body)
            : isOf(AUTONOMY)
              ? answerAutonomy(body)
              : await answerReview(body, lookups)
          if (answer) sendJson(response, 200, answer)
          else sendText(response, 400, 'text/plain', `this is not ${review}\n`)
        },
      })
      scope.use(server)
      scope.use(authority.current.onServing((renewed) => server.renew(contextOf(renewed))))
      port = server.port
      // The authority may be another one at each look, after a restart of its module, and with it the CA.
      const keep = (what: string, place: WebhookPlace, register: typeof registerConversion) => {
        const look = async (signal: AbortSignal) => {
          const { caPem: ca, serving } = authority.current
          server.renew(contextOf(serving))
          await register(kubernetes, { place, ca }, log, signal, troubles)
        }
        scope.run((signal) => keepRegistered({ what, register: look }, ports, signal))
      }
      const { validation, conversion, autonomy } = placesOf(options, port)
      keep('Admission of devices', validation, registerValidation)
      keep('Conversion of v1alpha2', conversion, registerConversion)
      keep('Autonomy of pods', autonomy, registerAutonomy)
    },
  }
}

function placesOf({ host, url: given, service }: AdmissionOptions, port: number) {
  if (service) {
    const at = (path: string): WebhookPlace => ({ service: { ...service, path } })
    return { validation: at(PATH), conversion: at(`/${CONVERSION}`), autonomy: at(`/${AUTONOMY}`) }
  }
  const dialled = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const url = given ?? `https://${dialled.includes(':') ? `[${dialled}]` : dialled}:${port}${PATH}`
  const beside = (path: string): WebhookPlace => ({ url: new URL(path, url).href })
  return { validation: { url }, conversion: beside(CONVERSION), autonomy: beside(AUTONOMY) }
}
