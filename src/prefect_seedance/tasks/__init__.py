"""Prefect tasks: create, poll and download, each retriable as fits it."""

from prefect_seedance.jobs.by_hand import VideoJob
from prefect_seedance.tasks.create import create_video
from prefect_seedance.tasks.download import download_video
from prefect_seedance.tasks.poll import poll_video

__all__ = ["VideoJob", "create_video", "download_video", "poll_video"]
