import type { Bus } from '../../../../platform/bus/index.ts'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { DeadlineError, seconds } from '../../../../platform/time/index.ts'
import { type Json, MOST_RESTARTED, type PodRestarted, restartPods } from '../../../../schemas/index.ts'
import { refusal } from '../../../kube/rbac/index.ts'
import { badRequest, unavailable } from '../../../kube/status.ts'
import type { Reply } from '../../../serving/answers/answer.ts'
import { attributesOf } from '../../../serving/requests/request-attributes.ts'
import type { AskedResource } from '../../../serving/requests/resource-request.ts'
import type { Rights } from '../access/rights.ts'

const ANSWER = seconds(10)
const WHAT_IT_TAKES = 'the body has to be a JSON array of names of pods: ["till"]'

/** KubeEdge's extension: `POST .../namespaces/NS/pods/restart`, which names no pod but what is to be done. */
export function isRestart({ path, sent }: Pick<AskedResource, 'path' | 'sent'>): boolean {
  const { group, version, plural, namespace, name, subresource } = path
  const isOfPods = group === '' && version === 'v1' && plural === 'pods' && namespace !== ''
  return isOfPods && name === 'restart' && subresource === '' && sent.method === 'POST'
}

/** Has Edged restart pods of one namespace of this node; the cloud has no part in it. Throws a Status. */
export function restarts({ bus, rights }: { readonly bus: Bus; readonly rights: Rights }) {
  return async (asked: AskedResource): Promise<Reply> => {
    checkRights(rights, asked)
    const names = namesIn((await asked.body()).bytes)
    const { namespace } = asked.path
    try {
      const options = { deadline: ANSWER, signal: asked.signal }
      const answers = await bus.request(restartPods, { namespace, names }, options)
      return { code: 200, type: 'application/json', text: `${JSON.stringify(answerOf(namespace, answers))}\n` }
    } catch (error) {
      if (!(error instanceof UnavailableError || error instanceof DeadlineError)) throw error
      throw unavailable('this node runs no pods now', error)
    }
  }
}

/** Whoever may create `pods/restart` or update it. */
function checkRights(rights: Rights, { path, url, user }: AskedResource): void {
  const of = { ...path, name: '', subresource: 'restart' }
  const attributes = attributesOf(url, 'create', of)
  const decision = rights.decide(user, attributes)
  if (decision?.allowed || rights.decide(user, attributesOf(url, 'update', of))?.allowed) return
  throw refusal(user, attributes, decision?.reason ?? 'its rights are not known on this node')
}

function namesIn(bytes: Buffer): readonly string[] {
  const value = jsonIn(bytes)
  if (!Array.isArray(value) || value.length === 0) throw badRequest(WHAT_IT_TAKES)
  const names = new Set<string>()
  for (const each of value) {
    if (typeof each !== 'string' || each === '') throw badRequest(WHAT_IT_TAKES)
    names.add(each)
  }
  if (names.size <= MOST_RESTARTED) return [...names]
  throw badRequest(`no more than ${MOST_RESTARTED} pods are restarted at once, and these are ${names.size}`)
}

function jsonIn(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(WHAT_IT_TAKES)
    throw error
  }
}

/** In KubeEdge's form, `types.RestartResponse` with its spelling: an empty list is left out. */
function answerOf(namespace: string, answers: readonly PodRestarted[]) {
  const errMessages: string[] = []
  const LogMessages: string[] = []
  for (const answer of answers) {
    const pod = `the pod "${namespace}/${answer.name}"`
    if (answer.outcome === 'restarting') LogMessages.push(`${pod} is being restarted`)
    else errMessages.push(`${pod} is not restarted: ${answer.reason}`)
  }
  return {
    ...(errMessages.length === 0 ? {} : { errMessages }),
    ...(LogMessages.length === 0 ? {} : { LogMessages }),
  }
}
