import { createHash } from 'node:crypto'
import type { Bus } from '../../../platform/bus/index.ts'
import { describeError, type Module, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { httpForPods, httpUserOf, mqttAccounts, mqttForPods, podUser } from '../../../schemas/index.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import { AccountFiles, type KeptAccount, newPassword } from './account-files.ts'
import { type Handout, httpUrlOf, MOUNT_PATH, type Place, removeHandout, urlOf, writeHandout } from './handout.ts'
import type { InjectedAccess, PodAccess } from './pod-access.ts'
import type { TwinGrants } from './twin-grants.ts'

export interface PodAccessOptions {
  readonly bus: Bus
  /** Of the accounts; survives a reboot. */
  readonly folder: string
  /** Of what is mounted into containers; in memory where that can be. Both are made with mode 0700. */
  readonly handouts: string
  readonly log: Logger
}

/** Of the environment of containers. */
export const VARIABLES = {
  url: 'SKERRY_MQTT_URL',
  host: 'SKERRY_MQTT_HOST',
  port: 'SKERRY_MQTT_PORT',
  username: 'SKERRY_MQTT_USERNAME',
  passwordFile: 'SKERRY_MQTT_PASSWORD_FILE',
  httpUrl: 'SKERRY_HTTP_URL',
  httpUsername: 'SKERRY_HTTP_USERNAME',
  httpPasswordFile: 'SKERRY_HTTP_PASSWORD_FILE',
} as const

/**
 * Pod access by the embedded broker, which is told of accounts on the bus, and by the local HTTP API. As a module it starts before
 * these: clients that come back at once find their accounts.
 */
export function createPodAccess(options: PodAccessOptions): PodAccess & Module {
  const { bus, folder, handouts, log } = options
  const files = new AccountFiles(folder)
  let kept: Map<string, KeptAccount> | undefined

  const accounts = async () => {
    kept ??= await files.all()
    return kept
  }
  const announce = ({ user, password, read, write }: KeptAccount) => {
    bus.set(mqttAccounts, user, { passwordHash: createHash('sha256').update(password).digest('hex'), read, write })
  }

  return {
    name: 'PodAccess',
    async start() {
      for (const account of (await accounts()).values()) announce(account)
    },

    async grant(pod, grants) {
      const place = await placeFor(bus, pod)
      if (!NAME.test(pod.uid)) throw obstacle(`uid "${pod.uid}" of the pod cannot be that of a file`)
      const all = await accounts()
      const account = accountFor(pod, grants, all.get(pod.uid))
      if (account !== all.get(pod.uid)) await files.write(pod.uid, account)
      all.set(pod.uid, account)
      announce(account)
      const http = await httpPlaceFor(bus, pod, log)
      const handout = { ...place, http, username: account.user, password: account.password }
      return injected(handout, await writeHandout(handouts, pod, handout))
    },

    async revoke(uid) {
      if (!NAME.test(uid)) return
      const all = await accounts()
      const account = all.get(uid)
      if (account) bus.remove(mqttAccounts, account.user)
      await removeHandout(handouts, uid)
      // The file last: while it is there, `present` tells of what is left.
      await files.remove(uid)
      all.delete(uid)
    },

    async present() {
      return [...(await accounts()).keys()]
    },
  }
}

const PATIENCE = seconds(20)
const NAME = /^[A-Za-z0-9][\w.-]{0,127}$/

async function placeFor(bus: Bus, pod: Pod): Promise<Place> {
  const place = await bus.request(mqttForPods, questionOf(pod), { deadline: PATIENCE }).catch((error: unknown) => {
    throw obstacle(`the broker of this node cannot be asked: ${describeError(error)}`, error)
  })
  if ('refusal' in place) throw obstacle(place.refusal)
  return place
}

/** Undefined where there is no local HTTP API: that keeps no pod from its start, since it has the broker. */
async function httpPlaceFor(bus: Bus, pod: Pod, log: Logger): Promise<Place | undefined> {
  const refuse = (reason: string) => {
    log.warn('A pod is not told of the local HTTP API of this node', { pod: `${pod.namespace}/${pod.name}`, reason })
    return undefined
  }
  try {
    const place = await bus.request(httpForPods, questionOf(pod), { deadline: PATIENCE })
    return 'refusal' in place ? refuse(place.refusal) : place
  } catch (error) {
    const isOff = error instanceof UnavailableError && error.code === 'PLATFORM_BUS_NO_SERVER'
    return isOff ? undefined : refuse(describeError(error))
  }
}

function questionOf({ spec }: Pod) {
  return { network: spec.hostNetwork ? 'host' : 'pod' } as const
}

function accountFor(pod: Pod, { read, write }: TwinGrants, before: KeptAccount | undefined): KeptAccount {
  const isSame = before && JSON.stringify([read, write]) === JSON.stringify([before.read, before.write])
  if (isSame) return before
  const password = before?.password ?? newPassword()
  return { user: podUser(pod), password, read: [...read], write: [...write] }
}

function injected(handout: Handout, hostPath: string): InjectedAccess {
  const { http, username } = handout
  const passwordFile = `${MOUNT_PATH}/password`
  const ofHttp: readonly (readonly [string, string])[] = http
    ? [
        [VARIABLES.httpUrl, httpUrlOf(http)],
        [VARIABLES.httpUsername, httpUserOf(username)],
        [VARIABLES.httpPasswordFile, passwordFile],
      ]
    : []
  return {
    environment: new Map([
      [VARIABLES.url, urlOf(handout)],
      [VARIABLES.host, handout.host],
      [VARIABLES.port, String(handout.port)],
      [VARIABLES.username, username],
      [VARIABLES.passwordFile, passwordFile],
      ...ofHttp,
    ]),
    mounts: [{ containerPath: MOUNT_PATH, hostPath, readonly: true }],
  }
}

function obstacle(message: string, cause?: unknown): ObstacleError {
  return new ObstacleError({ reason: 'TwinAccessUnavailable', message }, cause)
}
