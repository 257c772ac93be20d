"""Tests of observations, insights and the backlog."""
