"""Prefect tasks: upload, review, create, poll and download, each with its own retry rule."""

from prefect_seedance.runs.single import JobTicket
from prefect_seedance.tasks.create import create_video
from prefect_seedance.tasks.download import download_video
from prefect_seedance.tasks.media import review_media, upload_media
from prefect_seedance.tasks.poll import poll_video
from prefect_seedance.tasks.video_job import VideoJob, VideoJobRun

__all__ = [
    "JobTicket",
    "VideoJob",
    "VideoJobRun",
    "create_video",
    "download_video",
    "poll_video",
    "review_media",
    "upload_media",
]
