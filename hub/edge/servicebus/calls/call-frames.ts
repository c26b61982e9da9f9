import {
  cloudCallContent,
  type Frame,
  GROUPS,
  type HeaderLists,
  type Json,
  MODULES,
  OPERATIONS,
  parseCloudAnswer,
  type ServiceAnswer,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'

/** What a local application wants to have called. */
export interface LocalCall {
  /** `<namespace>/<name>`; empty where a KubeEdge cloud has registered the URL alone. */
  readonly rule: string
  readonly uid?: string
  readonly targetUrl: string
  readonly method: string
  readonly headers: HeaderLists
  readonly body: Buffer
}

/** A call as it goes to the cloud of the moment; undefined where that cloud cannot know what is meant. */
export function frameOf(
  call: LocalCall,
  {
    frames,
    isSkerry,
    deadlineMs,
  }: { readonly frames: FrameFactory; readonly isSkerry: boolean; readonly deadlineMs?: number },
): Frame | undefined {
  const route = { source: MODULES.serviceBus, group: GROUPS.user, operation: OPERATIONS.upload }
  if (!isSkerry) return frames.make({ ...route, resource: call.targetUrl }, originalContent(call))
  const [namespace, name] = call.rule.split('/')
  if (!namespace || !name) return undefined
  const { uid, method, headers, body } = call
  const content = cloudCallContent({
    ...(uid === undefined ? {} : { uid }),
    ...{ method, headers, body: body.toString('base64'), wait: deadlineMs !== undefined },
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  })
  return frames.make({ ...route, resource: `${namespace}/rule/${name}` }, content)
}

/** Of a KubeEdge cloud the body of the target alone comes back, as text. */
export function answerOf({ content }: Frame, isSkerry: boolean): ServiceAnswer | undefined {
  if (isSkerry) return parseCloudAnswer(content)
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  return { status: 200, headers: {}, body: Buffer.from(text).toString('base64') }
}

/** What an application would have posted to KubeEdge's ServiceBus, as Go writes bytes. */
function originalContent({ method, targetUrl, body }: LocalCall): Json {
  const text = body.toString('utf8')
  const payload = isJson(text) ? text : JSON.stringify(text)
  const posted = `{"method":${JSON.stringify(method)},"targetURL":${JSON.stringify(targetUrl)},"payload":${payload}}`
  return Buffer.from(posted).toString('base64')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
