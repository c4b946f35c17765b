import pytest

from prefect_seedance.routes import VideoRequest, check, find

WEB = "https://example.com/"
IMAGE, VIDEO, AUDIO = f"{WEB}a.png", f"{WEB}a.mp4", f"{WEB}a.mp3"


def found(model, **settings):
    problems = check(find(model), VideoRequest(**settings))
    return sorted({(problem.severity, problem.field) for problem in problems})


ERROR_ON = {
    "one frame of two": ("seedance2.0-md", {"prompt": "x", "first_image": IMAGE}, "first_image"),
    "the other frame of two": ("seedance2.0-fast-md", {"prompt": "x", "last_image": IMAGE}, "last_image"),
    "last frame alone": ("seedance-2.0-mini", {"last_image": IMAGE}, "last_image"),
    "a GIF at MD": ("seedance2.0-md", {"prompt": "x", "images": [f"{WEB}a.GIF?x=.png"]}, "images"),
    "a picture as video": ("seedance2.0-std", {"prompt": "x", "reference_videos": [IMAGE]}, "reference_videos"),
    "audio in frame mode": (
        "seedance2.0-std",
        {"prompt": "x", "first_image": IMAGE, "reference_audios": [AUDIO]},
        "reference_audios",
    ),
    "audio alone at SP": ("seedance2.0-sp", {"prompt": "x", "reference_audios": [AUDIO]}, "reference_audios"),
    "audio alone at Anyfast": ("seedance-2.0-mini", {"prompt": "x", "reference_audios": [AUDIO]}, "reference_audios"),
    "frames with references": (
        "seedance-2.0-mini",
        {"first_image": IMAGE, "reference_videos": [VIDEO]},
        "first_image",
    ),
    "web search with an image": (
        "seedance-2.0-mini",
        {"prompt": "x", "images": [IMAGE], "web_search": True},
        "web_search",
    ),
    "a file at Full": ("sd2_mx_4k", {"prompt": "x", "images": ["a.png"]}, "images"),
    "a TIFF that would be uploaded": ("seedance2.0-mini", {"prompt": "x", "images": ["a.tif"]}, "images"),
    "a GIF file at MD": ("seedance2.0-md", {"prompt": "x", "images": ["a.gif"]}, "images"),
    "a video of another format": ("seedance-2.0-mini", {"reference_videos": [f"{WEB}a.webm"]}, "reference_videos"),
    "a text in an image's place": ("seedance-2.0-mini", {"images": ["data:text/html;base64,AA"]}, "images"),
    "asset in old spelling": ("seedance-2.0-mini", {"images": ["Asset://asset-1"]}, "images"),
    "nothing at all": ("seedance-2.0-mini", {}, "prompt"),
    "an empty frame": ("seedance2.0-mini", {"prompt": "x", "first_image": ""}, "first_image"),
    "plain http": ("seedance2.0-mini", {"prompt": "x", "images": ["http://example.com/a.png"]}, "images"),
}


@pytest.mark.parametrize("case", ERROR_ON)
def test_a_hard_rule_is_an_error(case):
    model, settings, field = ERROR_ON[case]
    assert found(model, **settings) == [("error", field)]


WARNING_ON = {
    "480p at SP economy": ("seedance2.0-sp", {"prompt": "x", "resolution": "480p"}, "resolution"),
    "video at SP fast": ("seedance2.0-fast-sp", {"prompt": "x", "reference_videos": [VIDEO]}, "reference_videos"),
    "13 seconds at Full": ("sd2_mx_4k", {"prompt": "x", "duration": 13}, "duration"),
    "the size said twice": ("sd2_mx_2k", {"prompt": "x", "resolution": "2k"}, "resolution"),
    "2 seconds at MD": ("seedance2.0-md", {"prompt": "x", "duration": 2}, "duration"),
    "audio at SP official": (
        "seedance2.0-of-sp",
        {"prompt": "x", "images": [IMAGE], "reference_audios": [AUDIO]},
        "reference_audios",
    ),
    "audio with a frame": (
        "seedance-2.0-mini",
        {"prompt": "x", "first_image": IMAGE, "reference_audios": [AUDIO]},
        "reference_audios",
    ),
    "one frame at Fast I2V": ("seedance2.0-fast-i2v", {"prompt": "x", "first_image": IMAGE}, "first_image"),
    "last frame alone at Mini": ("seedance2.0-mini", {"prompt": "x", "last_image": IMAGE}, "last_image"),
    "text alone at Fast I2V": ("seedance2.0-fast-i2v", {"prompt": "x"}, "images"),
    "text alone at Mini video": ("seedance2.0-mini-video", {"prompt": "x"}, "reference_videos"),
    "a GIF as frame at MD": (
        "seedance2.0-md",
        {"prompt": "x", "first_image": f"{WEB}a.gif", "last_image": IMAGE},
        "first_image",
    ),
    "HEIC": ("seedance-2.0-mini", {"images": [f"{WEB}a.heic"]}, "images"),
    "501 Chinese characters": ("seedance-2.0-mini", {"prompt": "猫" * 501}, "prompt"),
    "1,001 English words": ("seedance-2.0-mini", {"prompt": "don't " * 1001}, "prompt"),
    "ratio beside orientation": (
        "seedance2.0-mini",
        {"prompt": "x", "ratio": "16:9", "orientation": "landscape"},
        "orientation",
    ),
}


@pytest.mark.parametrize("case", WARNING_ON)
def test_where_the_documents_disagree_or_are_silent_it_is_a_warning(case):
    model, settings, field = WARNING_ON[case]
    assert found(model, **settings) == [("warning", field)]


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        # The examples of the providers' pages.
        ("seedance2.0-mini", {"prompt": "x", "duration": 6, "resolution": "720p", "ratio": "9:16", "images": [IMAGE]}),
        ("seedance2.0-mini", {"prompt": "x", "resolution": "1080p", "ratio": "16:9", "first_image": IMAGE}),
        ("seedance2.0-mini-video", {"prompt": "x", "duration": 8, "images": [IMAGE], "reference_videos": [VIDEO]}),
        ("seedance2.0-of-sp", {"prompt": "x", "duration": 5, "resolution": "720p", "first_image": IMAGE}),
        ("seedance2.0-fast-sp", {"prompt": "x", "resolution": "1080p", "images": ["asset://your-asset-id-here"]}),
        ("seedance-2.0-mini", {"prompt": "一只猫在阳光明媚的房间里弹钢琴", "images": [IMAGE]}),
        # And what else is plainly allowed.
        ("seedance2.0-md", {"prompt": "x" * 5000, "resolution": "720p", "first_image": IMAGE, "last_image": IMAGE}),
        ("seedance2.0-std", {"prompt": "x", "last_image": IMAGE}),
        ("seedance-2.0-mini", {"images": [IMAGE], "reference_videos": [VIDEO], "reference_audios": [AUDIO]}),
        ("seedance-2.0-mini", {"prompt": "x", "images": [IMAGE], "web_search": False, "watermark": False}),
        ("seedance-2.0-mini", {"prompt": "x", "web_search": True, "generate_audio": False}),
        ("seedance-2.0-mini", {"images": ["data:image/png;base64,AAAA"]}),
        ("seedance-2.0-mini", {"reference_videos": ["data:video/mp4;base64,AA", "a.mp4", "s3://b/a.mov"]}),
        ("seedance2.0-mini", {"prompt": "x", "images": ["a.png", "data:image/png;base64,AAAA", "s3://b/a.webp"]}),
        (
            "seedance2.0-mini",
            {"prompt": "x", "images": ["http://127.0.0.1:8765/_media/a.png?w=640", "HTTPS://e.com/a"]},
        ),
    ],
)
def test_what_is_allowed_passes_in_silence(model, settings):
    assert found(model, **settings) == []


def test_all_problems_come_at_once_and_say_what_is_allowed():
    request = VideoRequest(
        duration=30, resolution="1080p", ratio="5:4", images=[f"{WEB}a.svg?sig=s"], orientation="portrait"
    )
    problems = check(find("seedance-2.0-mini"), request)
    assert [str(problem) for problem in problems] == [
        "anyfast/seedance-2.0-mini: duration 30: allowed: 4 to 15 seconds",
        "anyfast/seedance-2.0-mini: resolution '1080p': allowed: 480p, 720p",
        "anyfast/seedance-2.0-mini: ratio '5:4': allowed: 16:9, 4:3, 1:1, 3:4, 9:16, 21:9, adaptive",
        (
            "anyfast/seedance-2.0-mini: orientation 'portrait': this route has no such setting, leave it unset; "
            "its switches: generate_audio, watermark, web_search"
        ),
        (
            "anyfast/seedance-2.0-mini: images 'https://example.com/a.svg': is svg; "
            "allowed formats: jpeg, png, webp, bmp, tiff, gif, heic"
        ),
    ]
