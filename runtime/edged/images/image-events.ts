import type { PodEvent } from '../events/pod-events.ts'
import type { Waiting } from '../pod/obstacle.ts'
import { goDuration } from './go-duration.ts'
import type { Pulled } from './pulls.ts'

type Told = Omit<PodEvent, 'fieldPath'>

/** What becomes of images, in the words of a kubelet; `image` is as the pod names it. */
export const imageEvents = {
  present: (image: string): Told => normal('Pulled', `Container image "${image}" already present on machine`),
  pulling: (image: string): Told => normal('Pulling', `Pulling image "${image}"`),
  pulled: (image: string, { tookMs, image: { bytes } }: Pulled, withWaitMs: number): Told =>
    normal(
      'Pulled',
      `Successfully pulled image "${image}" in ${goDuration(tookMs)} (${goDuration(withWaitMs)} including waiting). ` +
        `Image size: ${bytes} bytes.`,
    ),
  failed: (image: string, message: string): Told => warning('Failed', `Failed to pull image "${image}": ${message}`),
  inspectFailed: (message: string): Told => warning('InspectFailed', message),
  never: (message: string): Told => warning('ErrImageNeverPull', message),
  backOff: (image: string): Told => normal('BackOff', `Back-off pulling image "${image}"`),
  /** A container does not start for it. */
  error: ({ reason }: Waiting): Told => warning('Failed', `Error: ${reason}`),
  /** A kubelet has no such event: there the pod would not start. */
  away: (image: string, message: string): Told =>
    warning(
      'RegistryUnavailable',
      `The registry of image "${image}" cannot be reached; the container starts with the image that is present: ${message}`,
    ),
  secrets: (what: string): Told =>
    warning(
      'FailedToRetrieveImagePullSecret',
      `Unable to retrieve some image pull secrets (${what}); attempting to pull the image may not succeed.`,
    ),
}

function normal(reason: string, message: string): Told {
  return { type: 'Normal', reason, message }
}

function warning(reason: string, message: string): Told {
  return { type: 'Warning', reason, message }
}
