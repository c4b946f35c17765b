"""Texts about downloads and the proof of a video."""

from __future__ import annotations

VIDEOS: dict[str, str] = {
    # Downloads.
    "download.too_slow": "The download took longer than {seconds:g} s and was interrupted: {link}.",
    "download.cut": "The download was cut, or no connection was made ({error}): {link}.",
    "download.link_refused": "The server does not deliver this result (HTTP {status}): {link}.",
    "download.server_trouble": "The server cannot deliver the result now (HTTP {status}): {link}.",
    "download.bad_status": "The server answered HTTP {status} to a download: {link}.",
    "download.text": "The server sent {format} instead of a video: {link}.",
    "download.words": "{text} It says: {words}",
    "download.not_a_video": "What the server sent is not a video: {reason} ({link}).",
    "download.too_large": "The file is larger than the {limit:,} bytes that are accepted: {link}.",
    # Remarks on a stored video whose server was wrong about it.
    "download.other_digest": "the server announced another {digest} digest than that of the file that it sent",
    "download.other_length": "the server announced another length than the {bytes:,} bytes that it sent",
    "video.odd_opening": "the file begins with a box {box!r} instead of 'ftyp'",
    "video.odd_brand": "the file names no known kind of MP4 file",
    "video.surplus": "{bytes:,} bytes follow the end of the video",
    "video.cover": "the file contains a cover picture too",
    "video.several_tracks": "the file contains {count} videos; what is said here is about the longest one",
    "video.no_decoder_for_all": "FFmpeg has no decoder for one of its tracks ({codecs}), which was not verified",
    "video.other_sizes": "its frames have {count} different sizes",
    "video.rotated": "its frames are turned by {degrees}° when they are shown",
    "video.edit": "it contains {found:.2f} s, of which an edit list shows {expected:.2f} s",
    "video.frame_order": "its frames are not timed in the order in which they follow each other",
    "video.unread": "{bytes:,} bytes of its media data belong to no frame and no sound that can be read",
    "video.uneven": "its sound lasts {sound:.2f} s, its picture {picture:.2f} s",
    # The proof.
    "video.not_whole": "{file} is not a whole video: {reason}.",
    "video.unverified": "{file} could not be verified here: {reason}.",
    "video.unreadable": "{file} cannot be read: {reason}.",
    # Why a file cannot be verified: each continues a sentence.
    "video.no_decoder": "FFmpeg here has no decoder for its picture or its sound ({codecs})",
    "video.not_understood": "FFmpeg does not understand it ({reason})",
    "video.frame_too_large": "a frame has more than {pixels:,} pixels, which is more than its route makes",
    "video.too_long": "it lasts {found:.1f} s, and at most {most:g} s are decoded",
    # The proof in a child process: why a file was not verified; each continues a sentence.
    "proof.memory": "decoding it takes more than the {megabytes:,} MB of memory that a video of this route may take",
    "proof.cpu": "decoding it takes more than the {seconds:,} s of processor time that a video of this route may take",
    "proof.hung": "decoding it did not end within {seconds:,.0f} s",
    "proof.killed": "the process that decoded it was ended by {signal}",
    "proof.ended": "the process that decoded it ended by itself (exit code {code})",
    "proof.unforeseen": "an error that this program did not foresee ({reason})",
    "proof.no_answer": "the process that decoded it gave no proper answer",
    "proof.no_children": (
        "Videos are verified in this process and not in processes of their own, which cannot be started here "
        "({reason}). They are verified as strictly; but no limit of memory or time holds, and a file that crashes the "
        "decoder ends the run."
    ),
    # What is wrong with a file: each continues a sentence.
    "video.not_mp4": "it is not an MP4 file",
    "video.truncated": "truncated: {size} bytes of {announced}",
    "video.no_box": "there is no box at byte {position} of {parent}",
    "video.box_truncated": "truncated: box {box!r} of {parent} lacks {missing} bytes",
    "video.box_missing": "{parent} has no {box!r} box",
    "video.box_too_large": "box {box!r} is larger than any video needs",
    "video.no_track": "it has no video track",
    "video.fragment_missing": "a fragment is missing",
    "video.fragment_end": "nothing proves that its last fragment is there",
    "video.not_decoded": "decoding fails ({reason})",
    "video.frame_beyond_end": "a frame lies beyond the end of the file",
    "video.frame_damaged": "a frame is damaged",
    "video.frames_unreadable": "{found} of {expected} frames can be read",
    "video.frames_not_decoded": "{found} of {expected} frames can be decoded",
    "video.nothing_shown": "its edit list hides all of its frames",
    "video.no_picture": "it shows no picture",
    "video.sound_damaged": "its sound is damaged",
}
