import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, minutes, type Random, seconds } from '../../../platform/time/index.ts'

/** Where the API server finds a webhook: `https://127.0.0.1:9443/validate`, or a path of a Service of the cluster. */
export type WebhookPlace = { readonly url: string } | { readonly service: WebhookService & { readonly path: string } }

export interface WebhookService {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

export interface WebhookAddress {
  readonly place: WebhookPlace
  /** PEM of the CA that signed the webhook's certificate. */
  readonly ca: string
}

export interface Registration {
  /** For the log. */
  readonly what: string
  /** Brings the registration to what it should be now; writes nothing where it is so already. */
  register(signal: AbortSignal): Promise<void>
}

/** Definitions that are applied again may have lost their conversion, and the CA may be another one. */
const LOOK_EVERY = minutes(5)

/** Registers as soon as the API lets it, and again whenever somebody has changed the registration. Ends with the signal. */
export async function keepRegistered(
  { what, register }: Registration,
  { clock, random, log }: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff({ first: seconds(1), most: seconds(60) }, random)
  for (;;) {
    try {
      await register(signal)
      backoff.reset()
      await clock.sleep(LOOK_EVERY, signal)
    } catch (error) {
      signal.throwIfAborted()
      log.warn(`${what} is not registered yet`, { error: describeError(error) })
      await clock.sleep(backoff.next(), signal)
    }
  }
}
